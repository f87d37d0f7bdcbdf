import { ServiceContainer } from '../../services/container.js'
import { composeNode, provideStore } from '../../services/node/compose.js'
import { type Stop, startParts, stopAll } from '../../services/node/node-lifecycle.js'
import type { NodeParts, NodeServices } from '../../services/node/node-parts.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import { InPlaceMandateChecker } from '../../src/application/submissions/in-place-mandate-checker.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { Breach } from '../../src/ports/store/breach-repository.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { Beat } from '../../src/ports/system/heartbeat.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { MemoryPictureStore } from '../support/memory/memory-picture-store.js'
import { silentLogger } from '../support/silent-logger.js'
import type { Sabotage } from './sabotage.js'
import { EPOCH_MS, type Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimCluster } from './sim-cluster.js'
import { SimDiscovery, type SimGrape } from './sim-discovery.js'
import { SimDisk } from './sim-disk.js'
import type { KeyRing } from './sim-keys.js'
import type { SimNetwork } from './sim-network.js'
import { SimProcess, type WallClock } from './sim-process.js'
import { SimStore } from './sim-store.js'

export interface MachineDeps {
  readonly scheduler: Scheduler
  readonly network: SimNetwork
  readonly grape: SimGrape
  readonly keys: KeyRing
  readonly random: SeededRandom
  readonly sabotage: Sabotage
  /** Of those machines that share a log. */
  readonly cluster?: SimCluster | undefined
  readonly logger?: (machine: string) => Logger
}

export interface MachineEvents {
  /** A commit became visible in the node's store, or was found there at the start. */
  stored(machine: Machine, entry: Append): void
  breached(machine: Machine, breach: Breach): void
  started(machine: Machine): void
  /** The process is gone, and with it whatever it was asked. */
  ended(machine: Machine): void
}

const LIFE_STEP = 1_000_000
const RESTART_MS = 1_500

/** One life of a node. */
interface Life {
  readonly process: SimProcess
  readonly store: SimStore
  readonly services: NodeServices
  readonly info: NodeInfo
  readonly stops: Stop[]
}

/** A machine with a disk, a key and a clock of its own, on which a node runs or not. */
export class Machine {
  readonly name: string
  readonly nodeId: string
  readonly clock: WallClock
  readonly disk: SimDisk
  readonly signer: Signer
  readonly #deps: MachineDeps
  readonly #events: MachineEvents
  readonly #random: SeededRandom
  #life: Life | null = null
  #lives = 0
  #incarnation = 0
  #lastBeat: Beat | null = null
  #stopping: SimProcess | null = null
  #address: string

  constructor(name: string, deps: MachineDeps, events: MachineEvents) {
    this.name = name
    this.#deps = deps
    this.#events = events
    this.#random = deps.random.stream(name)
    const offsetMs = Math.floor(this.#random.between(-60_000, 60_000))
    this.clock = {
      offsetMs,
      firstOffsetMs: offsetMs,
      rate: this.#random.between(0.99, 1.01),
    }
    this.disk = new SimDisk(this.#random.stream('disk'), {
      syncs: true,
      syncsAtStart: true,
      ...deps.sabotage.disk,
    })
    this.signer = deps.keys.newSigner(this.#random.stream('key'))
    this.nodeId = nodeIdOf(this.signer.publicKey)
    this.#address = `${name}:1`
  }

  /** What its clock says, UTC milliseconds. */
  get now(): number {
    return Math.floor(EPOCH_MS + this.clock.offsetMs + this.#deps.scheduler.now * this.clock.rate)
  }

  get running(): boolean {
    return this.#life !== null
  }

  /** Told to stop, and not gone yet. */
  get stopping(): boolean {
    return this.#stopping?.alive ?? false
  }

  /** Standing still: nobody gets through to it. */
  get frozen(): boolean {
    return (this.#life?.process.wakesAt ?? 0) > this.#deps.scheduler.now
  }

  get api(): NodeApi | null {
    return this.frozen ? null : (this.#life?.services.parts.nodeApi ?? null)
  }

  get store(): SimStore | null {
    return this.#life?.store ?? null
  }

  get services(): NodeServices | null {
    return this.#life?.services ?? null
  }

  get info(): NodeInfo | null {
    return this.#life?.info ?? null
  }

  start(): void {
    if (this.#life) return
    const { scheduler } = this.#deps
    this.#lives += 1
    this.#incarnation = this.now > this.#incarnation ? this.now : this.#incarnation + LIFE_STEP
    if (this.#lives > 1 && this.#random.chance(0.3)) this.#address = `${this.name}:${this.#lives}`
    const process = new SimProcess(this.name, scheduler, this.clock)
    const store = new SimStore(process, this.disk, {
      ...(this.#deps.sabotage.tables && { tables: this.#deps.sabotage.tables }),
      onStored: (entry) => this.#events.stored(this, entry),
      onBreach: (breach) => this.#events.breached(this, breach),
    })
    this.#life = this.#compose(process, store)
    scheduler.note(`${this.name} starts at ${this.#address}`)
    this.#events.started(this)
    void this.#run(this.#life)
    void store.broken.then(({ message }) => this.#giveUp(process, message))
  }

  /** The power goes: nothing runs on, and what was not synced may be lost. */
  crash(): void {
    if (!this.#life) return
    this.#end()
    this.#deps.scheduler.note(`${this.name} crashes, losing ${this.disk.crash()} records`)
  }

  /** The process is killed: what it had written is still there, synced or not. */
  kill(): void {
    if (!this.#life) return
    this.#end()
    this.#deps.scheduler.note(`${this.name} is killed`)
  }

  /** It stands still, and goes on as if nothing had been. */
  freeze(ms: number): void {
    if (this.#life) this.#life.process.wakesAt = this.#deps.scheduler.now + ms
  }

  /** Stops in good order, or at least as far as the node comes before it is killed. */
  async stop(): Promise<void> {
    const life = this.#life
    if (!life || this.stopping) return
    const { process } = life
    this.#stopping = process
    this.#deps.scheduler.note(`${this.name} stops`)
    await stopAll(life.stops, (error) => {
      this.#deps.scheduler.note(`${this.name} does not stop cleanly: ${String(error)}`)
    })
    if (!process.alive) return
    this.#end()
    this.#deps.scheduler.note(`${this.name} has stopped`)
  }

  /** What must not go on ends at once; somebody starts it again. */
  #giveUp(process: SimProcess, why: string): void {
    const { scheduler } = this.#deps
    scheduler.after(0, `${this.name} gives up: ${why}`, process, () => this.crash())
    scheduler.after(RESTART_MS, `${this.name} is started again`, null, () => this.start())
  }

  #beat(process: SimProcess, beat: Beat): void {
    if (process.alive) this.#lastBeat = beat
  }

  #end(): void {
    const life = this.#life
    if (!life) return
    this.#life = null
    life.process.end()
    this.#deps.network.remove(life.info.address)
    this.#events.ended(this)
  }

  #compose(process: SimProcess, inner: SimStore): Life {
    const { cluster, network, grape, keys, sabotage } = this.#deps
    const services = new ServiceContainer<NodeParts>()
    const random = this.#random.stream(`life ${this.#lives}`)
    const store = sabotage.store?.(inner) ?? inner
    const info: NodeInfo = {
      nodeId: this.nodeId,
      name: this.name,
      publicKey: this.signer.publicKey,
      version: '0.0.0',
      address: this.#address,
      dhtAddress: null,
      incarnation: this.#incarnation,
    }
    network.members.add(info)
    services
      .value('members', network.members)
      .value('memberNews', { ask: () => Promise.resolve() })
      .value('clock', process)
      .value('pictureStore', new MemoryPictureStore())
      .value('heartbeat', { last: () => this.#lastBeat, beat: (beat) => this.#beat(process, beat) })
      .value('timers', process)
      .value('random', random)
      .value('logger', this.#deps.logger?.(this.name) ?? silentLogger)
      .value('signer', this.signer)
      .value('verifier', sabotage.verifier?.(keys.verifier) ?? keys.verifier)
      .factory('mandateChecker', () => new InPlaceMandateChecker({ verifier: services.parts.verifier }))
      .value('discovery', new SimDiscovery({ process, network, grape, random: random.stream('dht') }))
      .value('peerClient', network.client(process))
      .factory('eventLog', () => new PublishingEventLog(store.eventLog))
      .value('self', { party: { id: this.nodeId, name: this.name }, info: () => info })
    provideStore(services, store)
    const fail = ({ message }: Error) => this.#giveUp(process, message)
    composeNode(services, {
      dataDir: 'sim',
      currencies: {},
      requestStop: () => {},
      handshakes: () => null,
      cluster: cluster && { sharedLog: cluster.connect(process), signer: cluster.signer },
      fail,
    })
    if (cluster) sabotage.cluster?.(services, cluster.log)
    return { process, store: inner, services, info, stops: [] }
  }

  async #run({ services, process, info, stops }: Life): Promise<void> {
    const { network } = this.#deps
    const serving = {
      start: () => {
        network.serve(info.address, process, services.parts.peerService)
        return 0
      },
      stop: () => network.remove(info.address),
    }
    await startParts(services, serving, { stops })
  }
}

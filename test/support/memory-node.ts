import { generateKeyPairSync } from 'node:crypto'
import { ServiceContainer } from '../../services/container.js'
import { composeNode, provideStore } from '../../services/node/compose.js'
import type { ClusterOptions } from '../../services/node/compose-options.js'
import { type Stop, startParts, stopAll } from '../../services/node/node-lifecycle.js'
import type { NodeParts } from '../../services/node/node-parts.js'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import type { BudgetName } from '../../src/application/budgets/sender-budgets.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import { InPlaceMandateChecker } from '../../src/application/submissions/in-place-mandate-checker.js'
import type { MandateChecker } from '../../src/ports/mesh/mandate-checker.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { PictureStore } from '../../src/ports/store/picture-store.js'
import type { Store } from '../../src/ports/store/store.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Beat, Heartbeat } from '../../src/ports/system/heartbeat.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics } from '../../src/ports/system/metrics.js'
import type { Random } from '../../src/ports/system/random.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { type ManualTime, settle } from './manual-time.js'
import { MemoryPictureStore } from './memory/memory-picture-store.js'
import { openMemoryStore } from './memory/memory-store.js'
import type { MemoryMembers } from './memory-members.js'
import type { MemoryNetwork } from './memory-network.js'
import { NodeTime } from './node-time.js'
import { sharedVerifier, sharing } from './shared-signatures.js'
import { silentLogger } from './silent-logger.js'

export interface MemoryNodeOptions {
  readonly name: string
  readonly network: MemoryNetwork
  readonly time: ManualTime
  /** A node that comes back brings its own. */
  readonly store?: Store
  readonly signer?: Signer
  /** The system's otherwise. */
  readonly random?: Random
  readonly heartbeat?: Heartbeat
  readonly pictureStore?: PictureStore
  /** Its own idea of the time. */
  readonly machine?: NodeTime
  /** A free one otherwise. */
  readonly address?: string
  /** Of another mesh than the network's. */
  readonly members?: MemoryMembers
  /** In place otherwise. */
  readonly mandateChecker?: MandateChecker
  readonly budgets?: Partial<Record<BudgetName, number>>
  readonly logger?: Logger
  /** Nothing is measured otherwise. */
  readonly metrics?: Metrics
  readonly peerWaitMs?: number
  readonly cluster?: ClusterOptions
  /** Of a node that has a cluster's key and no log that it shares. */
  readonly clusterSigner?: ClusterSigner | undefined
  /** What its clock says then; now otherwise. */
  readonly startedAt?: number
}

const STOP_STEP_MS = 250
const STOP_MS = 30_000

/** A whole node without disk, sockets or real time; its store and key outlive it, like a data directory. */
export class MemoryNode {
  readonly services = new ServiceContainer<NodeParts>()
  readonly store: Store
  readonly signer: Signer
  readonly info: NodeInfo
  /** Stands still when told to. */
  readonly time: NodeTime
  /** Why the node has to stop, once it does. */
  failure: (Error & { code?: unknown }) | null = null
  readonly #network: MemoryNetwork
  readonly pictureStore: PictureStore
  readonly #stops: Stop[] = []
  readonly #moved: ManualTime

  constructor(options: MemoryNodeOptions) {
    const { name, network, time } = options
    this.store = options.store ?? openMemoryStore()
    this.pictureStore = options.pictureStore ?? new MemoryPictureStore()
    this.signer = options.signer ?? signerOf(generateKeyPairSync('ed25519').privateKey)
    this.#network = network
    const nodeId = nodeIdOf(this.signer.publicKey)
    this.info = {
      nodeId,
      name,
      publicKey: this.signer.publicKey,
      version: '0.0.0',
      address: options.address ?? network.newAddress(),
      dhtAddress: null,
      incarnation: options.startedAt ?? time.now(),
    }
    this.time = options.machine ?? new NodeTime(time)
    this.#moved = time
    const { store } = this
    const members = options.members ?? network.members
    members.add(this.info)
    this.services
      .value('members', members)
      .value('memberNews', { ask: () => Promise.resolve() })
      .value('clock', this.time)
      .value('pictureStore', this.pictureStore)
      .value('heartbeat', options.heartbeat ?? new MemoryHeartbeat())
      .value('timers', this.time)
      .value('random', options.random ?? systemRandom)
      .value('logger', options.logger ?? silentLogger)
      .value('signer', sharing(this.signer))
      .value('verifier', sharedVerifier)
      .value('mandateChecker', options.mandateChecker ?? new InPlaceMandateChecker({ verifier: sharedVerifier }))
      .value('discovery', network.discovery())
      .value('peerClient', network.client(this.info.address, this.time))
      .factory('eventLog', () => new PublishingEventLog(store.eventLog))
      .value('self', { party: { id: nodeId, name }, info: () => this.info })
    provideStore(this.services, store)
    composeNode(this.services, {
      dataDir: 'memory',
      currencies: {},
      requestStop: () => {},
      handshakes: () => null,
      peerWaitMs: options.peerWaitMs,
      cluster: options.cluster,
      ...(options.metrics && { metrics: options.metrics }),
      ...(options.budgets && { budgets: options.budgets }),
      fail: (error) => {
        this.failure ??= error
      },
    })
    if (options.clusterSigner)
      this.services.value('clusterSigner', options.clusterSigner).value('clusterNodes', { has: () => true })
  }

  get api(): NodeApi {
    return this.services.parts.nodeApi
  }

  async start(): Promise<this> {
    const network = this.#network
    const { address } = this.info
    const serving = {
      start: () => {
        network.serve(address, this.services.parts.peerService, this.time)
        return 0
      },
      stop: () => network.remove(address),
    }
    await startParts(this.services, serving, { stops: this.#stops })
    return this
  }

  /** Gone without a word: nothing of it runs on, nobody was told. */
  crash(): void {
    this.#network.remove(this.info.address)
    this.#stops.length = 0
    this.time.stall()
    this.services.parts.autoBidder.stop()
    this.services.parts.syncer.stop()
    this.services.parts.equivocationWatch.stop()
    void this.services.parts.auctionHouse.stop()
  }

  /** Rejects where a part does not stop cleanly. */
  async stop(): Promise<void> {
    const errors: unknown[] = []
    let over = false
    const stopped = stopAll(this.#stops, (error) => errors.push(error)).then(() => {
      over = true
    })
    await settle()
    // What cannot be sent any more is given up in time, which nobody else moves.
    for (let waited = 0; !over && waited < STOP_MS; waited += STOP_STEP_MS) await this.#moved.advance(STOP_STEP_MS)
    await stopped
    if (errors.length > 0) throw new AggregateError(errors, 'something did not stop cleanly')
  }
}

/** Forgets nothing while the test runs. */
export class MemoryHeartbeat implements Heartbeat {
  #last: Beat | null = null

  last(): Beat | null {
    return this.#last
  }

  beat(beat: Beat): void {
    this.#last = beat
  }
}

/** Nodes that know each other. */
export async function startMemoryNodes(
  network: MemoryNetwork,
  time: ManualTime,
  names: readonly string[],
): Promise<MemoryNode[]> {
  const nodes: MemoryNode[] = []
  for (const name of names) nodes.push(await new MemoryNode({ name, network, time }).start())
  await settle()
  return nodes
}

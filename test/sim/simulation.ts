import type { RemoteCommand } from '../../src/domain/remote-command.js'
import type { SubmitAnswer } from '../../src/ports/mesh/home-messages.js'
import type { Breach } from '../../src/ports/store/breach-repository.js'
import type { Logger } from '../../src/ports/system/logger.js'
import { MemorySharedLog } from '../support/memory/memory-shared-log.js'
import { Checker } from './checker.js'
import { unconverged, unequal } from './convergence.js'
import { Faults } from './faults.js'
import { Forger } from './forger.js'
import { Machine } from './machine.js'
import { drawClusterProfile, drawProfile } from './profile.js'
import { NO_SABOTAGE, type Sabotage } from './sabotage.js'
import { Scheduler } from './scheduler.js'
import { SeededRandom } from './seeded-random.js'
import { SimCluster } from './sim-cluster.js'
import { HashKeyRing, type KeyRing } from './sim-keys.js'
import { SimNetwork } from './sim-network.js'
import { Trace } from './trace.js'
import { Users } from './users.js'

/**
 * `safety`: faults to the very end, then the power goes everywhere at once, and what was acknowledged must be there.
 * `liveness`: faults for a while, then peace, in which everything must come to its end in time.
 */
export type Mode = 'safety' | 'liveness'

export interface SimulationOptions {
  readonly seed: number
  readonly mode: Mode
  /** Some of the nodes share a log. */
  readonly cluster?: boolean
  readonly sabotage?: Sabotage
  readonly keys?: KeyRing
  /** Hears of each step. */
  readonly echo?: (line: string) => void
  readonly logger?: (machine: string) => Logger
}

export interface SimulationResult {
  readonly seed: number
  readonly mode: Mode
  /** SHA-256 over all steps. */
  readonly trace: string
  readonly steps: number
  readonly nodes: number
  readonly auctions: number
  readonly events: number
  readonly acknowledged: number
  /** Auctions that the nodes of a cluster have taken over. */
  readonly takeovers: number
  /** Virtual milliseconds from the end of the faults until all was well; null in safety mode. */
  readonly convergedMs: number | null
  /**
   * Virtual milliseconds until all replicas were equal; null in safety mode. The clock starts when the partition (and
   * every other fault of the network) has ended and the last node that was down runs again: from then on it is the
   * nodes' own doing that they find each other, notice what they lack, and fetch it.
   */
  readonly equalMs: number | null
}

const SAFETY_MS = 25_000
const TROUBLE_MS = 15_000
/** How long a mesh in peace may take to be as it should: a home that finds no peer waits for 30 s of it. */
export const CONVERGENCE_LIMIT_MS = 35_000
/** How long its replicas may take to be equal. */
export const EQUALITY_LIMIT_MS = 10_000
const CONVERGENCE_CHECK_MS = 100

/** A run in which something was that must never be. */
export class SimulationFailure extends Error {
  readonly code = 'SIMULATION_FAILED'
  constructor(
    readonly seed: number,
    readonly mode: Mode,
    readonly violation: string,
    steps: readonly string[],
    cluster = false,
  ) {
    super(
      `seed ${seed} (${mode}): ${violation}\nagain: npm run sim -- --seed ${seed} --mode ${mode}${cluster ? ' --cluster' : ''}\nlast steps:\n  ${steps.join('\n  ')}`,
    )
    this.name = 'SimulationFailure'
  }
}

/** Runs a mesh from its seed. Rejects with `SimulationFailure`. */
export function simulate(options: SimulationOptions): Promise<SimulationResult> {
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: SimulationOptions
  readonly #trace: Trace
  readonly #scheduler: Scheduler
  readonly #checker: Checker
  readonly #machines: Machine[] = []
  readonly #users: Users
  readonly #faults: Faults

  constructor(options: SimulationOptions) {
    this.#options = options
    const random = new SeededRandom(`vendue ${options.seed} ${options.mode}`)
    this.#trace = new Trace(options.echo)
    const scheduler = new Scheduler(this.#trace)
    this.#scheduler = scheduler
    const keys = options.keys ?? new HashKeyRing()
    this.#checker = new Checker(keys.verifier)
    const network = this.#network(random.stream('network'))
    const mesh = drawProfile(random.stream('profile'))
    const ofCluster = random.stream('cluster')
    const profile = options.cluster
      ? drawClusterProfile(mesh, ofCluster.stream('profile'))
      : { ...mesh, clusterNodes: undefined }
    scheduler.note(`profile ${JSON.stringify({ ...profile, actions: profile.actions.length })}`)
    const grape = { up: true }
    const sabotage = options.sabotage ?? NO_SABOTAGE
    const { logger } = options
    const machineDeps = { scheduler, network, grape, keys, random, sabotage, ...(logger && { logger }) }
    const { clusterNodes = 0 } = profile
    const log = sabotage.sharedLog?.() ?? new MemorySharedLog()
    const clusterKey = keys.newSigner(ofCluster.stream('key'))
    const clusterDeps = { scheduler, checker: this.#checker, random: ofCluster.stream('log'), signer: clusterKey, log }
    const cluster = clusterNodes > 0 ? new SimCluster(clusterDeps) : null
    for (let i = 1; i <= profile.nodes; i++) {
      const deps = { ...machineDeps, cluster: i <= clusterNodes && cluster ? cluster : undefined }
      this.#machines.push(new Machine(`n${i}`, deps, this.#events()))
    }
    const machines = this.#machines
    this.#users = new Users({ scheduler, machines, checker: this.#checker, random: random.stream('users') }, profile)
    const signer = keys.newSigner(random.stream('forger key'))
    const ofForger = random.stream('forger')
    const forger = new Forger({ scheduler, machines, network, random: ofForger, signer, takesOver: cluster !== null })
    const faultDeps = { scheduler, machines, network, grape, forger, cluster, random: random.stream('faults') }
    this.#faults = new Faults(faultDeps, profile)
  }

  async run(): Promise<SimulationResult> {
    const { mode, seed } = this.#options
    for (const machine of this.#machines) machine.start()
    this.#users.start()
    this.#faults.start()
    let peace: Pick<SimulationResult, 'convergedMs' | 'equalMs'> = { convergedMs: null, equalMs: null }
    if (mode === 'safety') {
      await this.#until(SAFETY_MS)
      await this.#lastPowerCut()
    } else {
      await this.#until(TROUBLE_MS)
      peace = await this.#converge()
    }
    const lines = [...this.#checker.lines.values()]
    return {
      seed,
      mode,
      trace: this.#trace.digest(),
      steps: this.#scheduler.steps,
      nodes: this.#machines.length,
      auctions: lines.length,
      events: lines.reduce((sum, { events }) => sum + events.length, 0),
      acknowledged: this.#checker.acknowledged,
      takeovers: lines.flatMap(({ events }) => events.filter(({ type }) => type === 'AuctionTakenOver')).length,
      ...peace,
    }
  }

  #network(random: SeededRandom): SimNetwork {
    const network = new SimNetwork(this.#scheduler, random)
    network.onAnswer = ({ method, from, content }, args) => {
      const home = this.#machines.find(({ name }) => name === from)
      if (method !== 'submit' || !home) return
      this.#checker.answered(home.nodeId, args[0] as RemoteCommand[], (content as SubmitAnswer).results)
    }
    network.onDoubled = (method, args) => {
      if (method !== 'submit') return
      for (const { commandId } of args[0] as RemoteCommand[]) this.#checker.doubled(commandId)
    }
    return network
  }

  #events() {
    return {
      stored: (machine: Machine, entry: Parameters<Checker['stored']>[1]) => {
        const { auctionId, firstSeq, lastSeq, hash } = entry.commit
        this.#scheduler.note(`${machine.name} has ${auctionId}#${firstSeq}-${lastSeq} ${hash.slice(0, 8)}`)
        this.#checker.stored(machine, entry)
      },
      breached: (machine: Machine, breach: Breach) => this.#checker.breached(machine, breach),
      started: (machine: Machine) => this.#checker.started(machine),
      ended: (machine: Machine) => {
        this.#checker.ended(machine)
        this.#users.ended(machine)
      },
    }
  }

  async #until(end: number): Promise<void> {
    await this.#scheduler.runUntil(end, () => this.#checker.violation !== null)
    const { violation } = this.#checker
    if (violation !== null) this.#fail(violation)
  }

  #fail(violation: string): never {
    throw new SimulationFailure(
      this.#options.seed,
      this.#options.mode,
      violation,
      this.#trace.last(),
      this.#options.cluster,
    )
  }

  async #lastPowerCut(): Promise<void> {
    for (const machine of this.#machines) machine.crash()
    this.#faults.end()
    await this.#until(this.#scheduler.now + 1)
  }

  async #converge(): Promise<{ convergedMs: number; equalMs: number }> {
    this.#faults.end()
    this.#users.settle()
    const start = this.#scheduler.now
    let wholeAt: number | null = null
    let equalMs: number | null = null
    for (;;) {
      await this.#until(this.#scheduler.now + CONVERGENCE_CHECK_MS)
      const { now } = this.#scheduler
      if (this.#machines.every(({ running, stopping, frozen }) => running && !stopping && !frozen)) wholeAt ??= now
      else if (equalMs === null) wholeAt = null
      if (wholeAt !== null) equalMs ??= this.#equalAfter(now - wholeAt)
      const missing = unconverged(this.#machines, this.#checker, this.#users)
      if (missing.length === 0 && equalMs !== null) return { convergedMs: now - start, equalMs }
      if (now - start >= CONVERGENCE_LIMIT_MS)
        this.#fail(`not within ${now - start} ms of peace: ${missing.join('; ')}`)
    }
  }

  #equalAfter(passed: number): number | null {
    const differences = unequal(this.#machines, this.#checker)
    if (differences.length === 0) return passed
    if (passed >= EQUALITY_LIMIT_MS)
      this.#fail(`replicas differ ${passed} ms after the last fault: ${differences.join('; ')}`)
    return null
  }
}

import type { Discovery, DiscoveryListener, DiscoveryState } from '../../../ports/mesh/discovery.js'
import type { Logger } from '../../../ports/system/logger.js'
import { parseAddress } from '../transport/address.js'
import type { GrapeAccess } from './embedded-grape.js'
import { GrapeLink } from './grape-link.js'

export interface GrapeDiscoveryDeps {
  /** An embedded Grape that has been started, or `remoteGrape`. */
  readonly grape: GrapeAccess
  readonly logger: Logger
}

export interface GrapeDiscoveryOptions {
  /** Nodes find those of the same mesh only. */
  readonly mesh: string
  readonly announceIntervalMs?: number
  /** After a failed announcement; doubled up to `maxRetryMs`. */
  readonly retryMs?: number
  readonly maxRetryMs?: number
  /** Between lookups, for `eagerMs` after the start and after the Grape came back. */
  readonly eagerLookupMs?: number
  readonly eagerMs?: number
  /** Between lookups from then on. */
  readonly lookupMs?: number
}

const DEFAULTS = {
  announceIntervalMs: 30_000,
  retryMs: 1_000,
  maxRetryMs: 5_000,
  eagerLookupMs: 1_000,
  eagerMs: 10_000,
  lookupMs: 5_000,
}
/** Spreads the lookups of nodes that were started together. */
const JITTER = 0.2
const MAX_ADDRESSES = 1_000

const NO_RECORDS = { evict: () => undefined, admit: () => undefined }

/** A Grape elsewhere: nothing is known of its part in the DHT, and its records are not ours. */
export function remoteGrape(url: string): GrapeAccess {
  return { url: url.replace(/\/+$/, ''), dhtAddress: null, addNode: () => undefined, ...NO_RECORDS }
}

export class GrapeDiscovery implements Discovery {
  readonly #deps: GrapeDiscoveryDeps
  readonly #options: Required<GrapeDiscoveryOptions>
  #running: Running | null = null
  #state: DiscoveryState = 'unreachable'

  constructor(deps: GrapeDiscoveryDeps, options: GrapeDiscoveryOptions) {
    this.#deps = deps
    this.#options = { ...DEFAULTS, ...options }
  }

  async start(rpcPort: number, listener: DiscoveryListener): Promise<void> {
    if (this.#running) return
    const link = new GrapeLink(this.grapeUrl).start()
    const running: Running = {
      link,
      rpcPort,
      listener,
      reported: false,
      eagerUntil: performance.now() + this.#options.eagerMs,
      announceFailures: 0,
      announcer: new Loop(() => this.#announce(running)),
      seeker: new Loop(() => this.#lookUp(running)),
    }
    this.#running = running
    running.announcer.now()
    running.seeker.now()
  }

  refresh(): void {
    this.#running?.seeker.now()
  }

  introduce(dhtAddress: string): void {
    this.#deps.grape.addNode(dhtAddress)
  }

  evict(address: string): void {
    this.#deps.grape.evict(this.#key, address)
  }

  admit(address: string): void {
    this.#deps.grape.admit(this.#key, address)
  }

  get dhtAddress(): string | null {
    return this.#deps.grape.dhtAddress
  }

  get grapeUrl(): string {
    return this.#deps.grape.url
  }

  get state(): DiscoveryState {
    return this.#state
  }

  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    this.#state = 'unreachable'
    if (!running) return
    const loops = [running.announcer.stop(), running.seeker.stop()]
    running.link.stop()
    await Promise.all(loops)
  }

  get #key(): string {
    return `vendue:${this.#options.mesh}:v1`
  }

  /** Succeeds when a node of the DHT has taken the announcement; a lone Grape has no other node. */
  async #announce(running: Running): Promise<number> {
    const { announceIntervalMs, retryMs, maxRetryMs } = this.#options
    const { link, rpcPort } = running
    try {
      const answer = await link.ask('announce', [this.#key, rpcPort])
      this.#deps.logger.debug({ key: this.#key, rpcPort, answer }, 'announced')
      if (typeof answer === 'number') {
        running.announceFailures = 0
        return announceIntervalMs
      }
    } catch (err) {
      this.#deps.logger.debug({ err, grape: this.grapeUrl }, 'could not announce')
    }
    const delayMs = Math.min(retryMs * 2 ** running.announceFailures, maxRetryMs)
    running.announceFailures += 1
    return delayMs
  }

  async #lookUp(running: Running): Promise<number> {
    const { eagerLookupMs, lookupMs, maxRetryMs } = this.#options
    try {
      const answer = await running.link.ask('lookup', this.#key)
      if (!Array.isArray(answer)) throw new Error(`what answers at ${this.grapeUrl} is no Grape`)
      if (this.#running !== running) return 0
      const addresses = answer.slice(0, MAX_ADDRESSES).filter(isAddress)
      this.#deps.logger.debug({ key: this.#key, addresses }, 'looked up')
      this.#report(running, 'connected')
      // A restarted Grape has forgotten this node.
      const known = addresses.some((address) => parseAddress(address)?.port === running.rpcPort)
      if (!known) running.announcer.within(maxRetryMs)
      if (addresses.length > 0) this.#notify(() => running.listener.addresses(addresses))
    } catch (error) {
      this.#deps.logger.debug({ err: error, grape: this.grapeUrl }, 'could not look up')
      if (this.#running === running) this.#report(running, 'unreachable', error as Error)
    }
    return performance.now() < running.eagerUntil ? eagerLookupMs : lookupMs
  }

  #report(running: Running, state: DiscoveryState, cause?: Error): void {
    if (running.reported && state === this.#state) return
    const cameBack = running.reported && state === 'connected'
    running.reported = true
    this.#state = state
    if (cameBack) {
      running.eagerUntil = performance.now() + this.#options.eagerMs
      running.announcer.now()
    }
    this.#notify(() => running.listener.state(state, cause))
  }

  #notify(notify: () => void): void {
    try {
      notify()
    } catch (err) {
      this.#deps.logger.error({ err }, 'a listener to discovery failed')
    }
  }
}

interface Running {
  readonly link: GrapeLink
  readonly rpcPort: number
  readonly listener: DiscoveryListener
  announceFailures: number
  readonly announcer: Loop
  readonly seeker: Loop
  /** Whether any state has been reported. */
  reported: boolean
  /** Until when lookups follow each other fast, `performance.now()`. */
  eagerUntil: number
}

function isAddress(value: unknown): value is string {
  return typeof value === 'string' && parseAddress(value) !== null
}

/** Does one thing again and again, never twice at a time. */
class Loop {
  /** Never rejects; resolves with the milliseconds until the next round. */
  readonly #step: () => Promise<number>
  #dueAt = 0
  #timer: NodeJS.Timeout | undefined
  #busy: Promise<void> | null = null
  #again = false
  #stopped = false

  constructor(step: () => Promise<number>) {
    this.#step = step
  }

  /** At once, or once more right after the round under way. */
  now(): void {
    if (this.#stopped) return
    if (this.#busy) this.#again = true
    else this.#busy = this.#run()
  }

  /** No later than that. */
  within(delayMs: number): void {
    if (!this.#busy && this.#dueAt - performance.now() > delayMs) this.#schedule(delayMs)
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#busy
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer)
    let delayMs: number
    do {
      this.#again = false
      delayMs = await this.#step()
    } while (this.#again && !this.#stopped)
    this.#busy = null
    if (!this.#stopped) this.#schedule(delayMs)
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    const jittered = delayMs * (1 + JITTER * (2 * Math.random() - 1))
    this.#dueAt = performance.now() + jittered
    this.#timer = setTimeout(() => this.now(), jittered)
    this.#timer.unref()
  }
}

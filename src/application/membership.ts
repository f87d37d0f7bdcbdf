import type { Clock } from '../ports/clock.js'
import type { Discovery, DiscoveryState } from '../ports/discovery.js'
import type { Logger } from '../ports/logger.js'
import type { NodeInfo, PeerClient } from '../ports/peer-client.js'
import type { PeerRepository } from '../ports/peer-repository.js'
import type { Timer, Timers } from '../ports/timers.js'
import { nodeIdOf } from './ids.js'
import type { PeerTable } from './peer-table.js'

export interface MembershipDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly discovery: Discovery
  readonly peerClient: Pick<PeerClient, 'hello' | 'ping' | 'goodbye'>
  readonly peerRepository: PeerRepository
  readonly peerTable: PeerTable
}

export interface MembershipOptions {
  readonly probeIntervalMs?: number
  readonly probeTimeoutMs?: number
  /** Probes in a row without an answer that make a peer dead. */
  readonly deadAfterMisses?: number
  /** How long an address that did not answer is left alone at first; doubled each time. */
  readonly redialMs?: number
}

const PROBE_INTERVAL_MS = 1_000
const PROBE_TIMEOUT_MS = 1_000
const DEAD_AFTER_MISSES = 3
const REDIAL_MS = 2_000
const GOODBYE_TIMEOUT_MS = 300
const MAX_DIALS_AT_ONCE = 16
const MAX_CANDIDATES = 2_000
const MAX_DIAL_FAILURES = 8
const MAX_REDIAL_MS = 60_000
const MAX_REMEMBERED_PEERS = 100

/** An address to dial: when it may be dialled next (monotonic), and how often nobody answered. */
interface Candidate {
  notBefore: number
  failures: number
}

/**
 * Finds the other nodes and watches over them. Every source of addresses (the DHT, peers of peers, the last run)
 * is a hint: an address is dialled, and who answers there says hello. The peer table is what came of it.
 */
export class Membership {
  readonly #deps: MembershipDeps
  readonly #options: Required<MembershipOptions>
  readonly #candidates = new Map<string, Candidate>()
  readonly #dialling = new Set<string>()
  readonly #probing = new Set<string>()
  #self: NodeInfo | null = null
  #timer: Timer | null = null

  constructor(deps: MembershipDeps, options: MembershipOptions = {}) {
    this.#deps = deps
    this.#options = {
      probeIntervalMs: options.probeIntervalMs ?? PROBE_INTERVAL_MS,
      probeTimeoutMs: options.probeTimeoutMs ?? PROBE_TIMEOUT_MS,
      deadAfterMisses: options.deadAfterMisses ?? DEAD_AFTER_MISSES,
      redialMs: options.redialMs ?? REDIAL_MS,
    }
  }

  async start(self: NodeInfo, rpcPort: number): Promise<void> {
    if (this.#self) return
    this.#self = self
    const remembered = await this.#deps.peerRepository.list(MAX_REMEMBERED_PEERS)
    this.consider(remembered.map(({ address }) => address))
    for (const { dhtAddress } of remembered) if (dhtAddress) this.#deps.discovery.introduce(dhtAddress)
    await this.#deps.discovery.start(rpcPort, {
      addresses: (addresses) => this.consider(addresses),
      state: (state, cause) => this.#onGrape(state, cause),
    })
    this.#tick()
  }

  /** Says goodbye to whoever can be reached, then leaves the DHT to forget this node. */
  async stop(): Promise<void> {
    const self = this.#self
    if (!self) return
    this.#self = null
    this.#timer?.cancel()
    const farewell = this.#deps.peerTable.reachable().map(async ({ info }) => {
      await this.#deps.peerClient
        .goodbye(info.address, self, { timeoutMs: GOODBYE_TIMEOUT_MS })
        .catch((error) => {
          this.#deps.logger.debug({ err: error, peer: info.name }, 'a goodbye was not heard')
        })
    })
    await Promise.all(farewell)
    await this.#deps.discovery.stop()
  }

  /** Takes addresses ("host:port") into account that may lead to peers. */
  consider(addresses: readonly string[]): void {
    for (const address of addresses) {
      if (address === this.#self?.address || this.#candidates.has(address)) continue
      if (this.#candidates.size >= MAX_CANDIDATES) this.#forgetCandidate()
      this.#candidates.set(address, { notBefore: 0, failures: 0 })
      this.#deps.logger.debug({ address }, 'an address to try')
    }
    this.#dialDue()
  }

  /** A node introduced itself to us: it is known once it also answers where it says it is. */
  met(caller: NodeInfo): void {
    const known = this.#deps.peerTable.get(caller.nodeId)
    const same = known?.info.address === caller.address && known.info.incarnation === caller.incarnation
    if (same && (known.state === 'alive' || known.state === 'suspect')) return
    this.#candidates.delete(caller.address)
    this.consider([caller.address])
  }

  #forgetCandidate(): void {
    const first = this.#candidates.keys().next()
    if (!first.done) this.#candidates.delete(first.value)
  }

  #tick(): void {
    if (!this.#self) return
    this.#dialDue()
    for (const { info } of this.#deps.peerTable.reachable()) void this.#probe(info)
    this.#timer = this.#deps.timers.after(this.#options.probeIntervalMs, () => this.#tick())
  }

  #dialDue(): void {
    const now = this.#deps.clock.monotonicMs()
    for (const [address, { notBefore }] of this.#candidates) {
      if (!this.#self || this.#dialling.size >= MAX_DIALS_AT_ONCE) return
      if (notBefore > now || this.#dialling.has(address)) continue
      const state = this.#deps.peerTable.byAddress(address)?.state
      if (state === 'alive' || state === 'suspect') continue
      this.#dialling.add(address)
      void this.#dial(address, this.#self).finally(() => this.#dialling.delete(address))
    }
  }

  async #dial(address: string, self: NodeInfo): Promise<void> {
    const { clock, logger, peerClient, peerTable, peerRepository, discovery } = this.#deps
    const startedAt = clock.monotonicMs()
    try {
      const { node, peers } = await peerClient.hello(address, self, {
        timeoutMs: this.#options.probeTimeoutMs,
      })
      if (!this.#self) return
      if (node.nodeId === self.nodeId) {
        this.#candidates.set(address, { notBefore: Number.POSITIVE_INFINITY, failures: 0 })
        return
      }
      if (nodeIdOf(node.publicKey) !== node.nodeId) {
        logger.warn(
          { address, nodeId: node.nodeId },
          'a node whose id does not belong to its key is not let in',
        )
        return
      }
      this.#candidates.set(address, { notBefore: 0, failures: 0 })
      // Where it was reached is where it is, whatever it says itself.
      const info: NodeInfo = { ...node, address }
      logger.debug({ address, peer: info.name, nodeId: info.nodeId }, 'a peer answered')
      peerTable.seen(info, clock.monotonicMs() - startedAt)
      if (info.dhtAddress) discovery.introduce(info.dhtAddress)
      this.consider(peers.map((peer) => peer.address))
      const { nodeId, name, publicKey, dhtAddress } = info
      await peerRepository.save({ nodeId, name, publicKey, address, dhtAddress, lastSeenAt: clock.now() })
    } catch (error) {
      logger.debug({ address, err: error }, 'nobody of this mesh answered there')
      this.#backOff(address)
    }
  }

  /** Tried again less and less often, then forgotten until somebody names the address afresh. */
  #backOff(address: string): void {
    const failures = (this.#candidates.get(address)?.failures ?? 0) + 1
    if (failures > MAX_DIAL_FAILURES) this.#candidates.delete(address)
    else {
      const delayMs = Math.min(this.#options.redialMs * 2 ** (failures - 1), MAX_REDIAL_MS)
      this.#candidates.set(address, { notBefore: this.#deps.clock.monotonicMs() + delayMs, failures })
    }
  }

  async #probe(info: NodeInfo): Promise<void> {
    const { clock, peerClient, peerTable, logger } = this.#deps
    const self = this.#self
    if (!self || this.#probing.has(info.nodeId)) return
    this.#probing.add(info.nodeId)
    const startedAt = clock.monotonicMs()
    try {
      const answer = await peerClient.ping(info.address, self, { timeoutMs: this.#options.probeTimeoutMs })
      if (answer.nodeId !== info.nodeId) throw new Error(`another node answers at ${info.address}`)
      if (answer.incarnation !== info.incarnation) this.met({ ...info, incarnation: answer.incarnation })
      peerTable.seen({ ...info, incarnation: answer.incarnation }, clock.monotonicMs() - startedAt)
    } catch (error) {
      if (!this.#self) return
      logger.debug({ peer: info.name, address: info.address, err: error }, 'a peer did not answer')
      peerTable.missed(info.nodeId, this.#options.deadAfterMisses)
    } finally {
      this.#probing.delete(info.nodeId)
    }
  }

  #onGrape(state: DiscoveryState, cause?: Error): void {
    const { logger, discovery } = this.#deps
    if (state === 'connected') logger.info({ grape: discovery.grapeUrl }, 'the Grape answers')
    else {
      logger.warn(
        { grape: discovery.grapeUrl, err: cause },
        'the Grape does not answer: this node goes on with the peers it knows, and keeps trying',
      )
    }
  }
}

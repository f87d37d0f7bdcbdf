import type { Rumor } from '../../ports/mesh/liveness-messages.js'
import { CONNECTION_REFUSED, PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import { shuffled } from '../turns/shuffled.js'
import type { Gossip } from './gossip.js'
import { LAG_MS, type LocalHealth } from './local-health.js'
import type { NodeIdentity } from './node-identity.js'
import { isReachable, MAX_PEERS, type PeerTable } from './peer-table.js'

export interface PeerProberDeps {
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly identity: NodeIdentity
  readonly health: LocalHealth
  readonly gossip: Gossip
  readonly peerClient: Pick<PeerClient, 'ping' | 'pingVia'>
  readonly peerTable: PeerTable
}

export interface PeerProberOptions {
  readonly probeTimeoutMs: number
  /** How long a peer that keeps silent may refute the suspicion. */
  readonly suspicionMs: number
  /** The same for a peer whose machine answers that nobody listens there. */
  readonly goneSuspicionMs: number
  readonly onRumors: (rumors: readonly Rumor[], from: string) => void
  /** Another life, or another node, answers at the address. */
  readonly onChanged: (address: string) => void
}

/** Peers probed in one round; a larger mesh is gone through in turns, so that the cost of a round stays the same. */
export const MAX_PROBES_PER_ROUND = 16
const INDIRECT_PROBES = 3
/** A rumor makes this node probe the peer itself, but not more often than this. */
const MIN_CHECK_INTERVAL_MS = 500

type Outcome = 'answered' | 'silent' | 'gone' | 'void'

/** Suspected since when it is counted, and until when it may refute. Monotonic. */
interface Suspicion {
  incarnation: number
  deadline: number
  timer: Timer
}

/**
 * Asks peers for proof that they live: directly, then through others, then suspects them, then gives them up. What
 * comes of a probe while this node itself stood still does not count.
 */
export class PeerProber {
  readonly #deps: PeerProberDeps
  readonly #options: PeerProberOptions
  readonly #probing = new Map<string, Promise<Outcome>>()
  readonly #checkedAt = new Map<string, number>()
  readonly #suspicions = new Map<string, Suspicion>()
  /** Node ids whose turn is still to come in this pass over the mesh. */
  #turns: string[] = []
  #unlisten: (() => void) | null = null

  constructor(deps: PeerProberDeps, options: PeerProberOptions) {
    this.#deps = deps
    this.#options = options
  }

  start(): void {
    this.#unlisten ??= this.#deps.peerTable.onChange(({ peer }) => {
      if (peer.state !== 'suspect') this.#forget(peer.info.nodeId)
    })
  }

  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    for (const nodeId of [...this.#suspicions.keys()]) this.#forget(nodeId)
  }

  async round(): Promise<void> {
    const outcomes = await Promise.all(this.#pick().map((info) => this.#probe(info)))
    const count = (wanted: Outcome) => outcomes.filter((outcome) => outcome === wanted).length
    this.#deps.health.probed({ answered: count('answered'), silent: count('silent') })
  }

  /** Somebody doubts that the peer lives: probes it at once, and lets the peer know, so that it can refute. */
  check(nodeId: string): void {
    const peer = this.#deps.peerTable.get(nodeId)
    const now = this.#deps.clock.monotonicMs()
    if (!peer || !isReachable(peer)) return
    if (now - (this.#checkedAt.get(nodeId) ?? Number.NEGATIVE_INFINITY) < MIN_CHECK_INTERVAL_MS) return
    if (this.#checkedAt.size >= MAX_PEERS) this.#checkedAt.clear()
    this.#checkedAt.set(nodeId, now)
    void this.#probe(peer.info, true)
  }

  /** Suspects always, the others in a shuffled order that leaves nobody out. */
  #pick(): NodeInfo[] {
    const { peerTable, random } = this.#deps
    const reachable = peerTable.reachable()
    if (reachable.length <= MAX_PROBES_PER_ROUND) return reachable.map(({ info }) => info)
    const picked = reachable.filter(({ state }) => state === 'suspect').slice(0, MAX_PROBES_PER_ROUND)
    while (picked.length < MAX_PROBES_PER_ROUND) {
      if (this.#turns.length === 0) {
        const ids = reachable.map(({ info }) => info.nodeId)
        this.#turns = shuffled(ids, random)
      }
      const peer = peerTable.get(this.#turns.pop() as string)
      if (peer?.state === 'alive' && !picked.includes(peer)) picked.push(peer)
      else if (picked.length >= reachable.length) break
    }
    return picked.map(({ info }) => info)
  }

  #probe(info: NodeInfo, doubted = false): Promise<Outcome> {
    const { nodeId } = info
    const running = this.#probing.get(nodeId)
    if (running) return running
    const probe = this.#ask(info, doubted).finally(() => this.#probing.delete(nodeId))
    this.#probing.set(nodeId, probe)
    return probe
  }

  async #ask(info: NodeInfo, doubted: boolean): Promise<Outcome> {
    const { clock, health, logger } = this.#deps
    const timeoutMs = this.#options.probeTimeoutMs * health.stretch
    let startedAt = clock.monotonicMs()
    try {
      return await this.#direct(info, timeoutMs, doubted)
    } catch (error) {
      if (this.#standsStill(startedAt, timeoutMs)) return 'void'
      const isGone =
        error instanceof NotTheSameError || (error instanceof PeerCallError && error.code === CONNECTION_REFUSED)
      logger.debug({ peer: info.name, address: info.address, err: error }, 'a peer did not answer')
      startedAt = clock.monotonicMs()
      if (await this.#indirect(info, timeoutMs)) return 'answered'
      if (this.#standsStill(startedAt, timeoutMs)) return 'void'
      this.#suspect(info, isGone)
      return isGone ? 'gone' : 'silent'
    }
  }

  async #direct(info: NodeInfo, timeoutMs: number, doubted: boolean): Promise<Outcome> {
    const { clock, gossip, identity, peerClient, peerTable } = this.#deps
    const startedAt = clock.monotonicMs()
    const challenge = identity.challenge(info.address)
    const rumors = gossip.take(peerTable.reachable().length)
    if (doubted || this.#suspicions.has(info.nodeId)) {
      rumors.push({ state: 'suspect', nodeId: info.nodeId, incarnation: info.incarnation })
    }
    const pong = await peerClient.ping(info.address, { challenge, rumors }, { timeoutMs })
    if (!this.#unlisten) return 'void'
    const { proof } = pong
    const isSame = proof.nodeId === info.nodeId && proof.address === info.address
    if (!isSame || !identity.proves(challenge, proof, info.publicKey)) {
      this.#options.onChanged(info.address)
      throw new NotTheSameError(info)
    }
    this.#alive(info, proof.incarnation, clock.monotonicMs() - startedAt)
    this.#options.onRumors(pong.rumors, info.nodeId)
    return 'answered'
  }

  /** Whether any of a few other peers gets a proof of life from it, which they cannot make up. */
  async #indirect(info: NodeInfo, timeoutMs: number): Promise<boolean> {
    const { identity, peerClient, peerTable, random } = this.#deps
    const others = peerTable.reachable().filter((peer) => peer.state === 'alive')
    const helpers = shuffled(
      others.filter((peer) => peer.info.nodeId !== info.nodeId),
      random,
    ).slice(0, INDIRECT_PROBES)
    const asked = helpers.map(async (helper) => {
      const challenge = identity.challenge(info.address)
      const { nodeId } = info
      const proof = await peerClient.pingVia(helper.info.address, nodeId, challenge, { timeoutMs })
      const isSame = proof.nodeId === nodeId && proof.address === info.address
      if (!isSame || !identity.proves(challenge, proof, info.publicKey)) throw new NotTheSameError(info)
      return proof
    })
    try {
      const proof = await Promise.any(asked)
      if (this.#unlisten) this.#alive(info, proof.incarnation, null)
      return true
    } catch (error) {
      this.#deps.logger.debug({ peer: info.name, asked: asked.length, err: error }, 'nor do others reach it')
      return false
    }
  }

  #alive(info: NodeInfo, incarnation: number, roundTripMs: number | null): void {
    const { peerTable } = this.#deps
    const isNewLife = incarnation !== (peerTable.get(info.nodeId)?.info.incarnation ?? incarnation)
    // A new life is worth a handshake; where there is no direct way for one, this has to do.
    if (isNewLife && roundTripMs !== null) this.#options.onChanged(info.address)
    else peerTable.answered(info.nodeId, incarnation, roundTripMs)
  }

  #suspect({ nodeId, incarnation }: NodeInfo, isGone: boolean): void {
    const { clock, gossip, health, peerTable } = this.#deps
    const peer = peerTable.get(nodeId)
    if (!this.#unlisten || !peer || !isReachable(peer)) return
    // It has come back, or refuted, while this probe was under way.
    if (peer.info.incarnation !== incarnation) return
    const { suspicionMs, goneSuspicionMs } = this.#options
    const deadline = clock.monotonicMs() + (isGone ? goneSuspicionMs : suspicionMs * health.stretch)
    const known = this.#suspicions.get(nodeId)
    if (known && known.deadline <= deadline) return
    known?.timer.cancel()
    this.#suspicions.set(nodeId, { incarnation, deadline, timer: this.#judgeAt(nodeId, deadline) })
    if (!known) gossip.add({ state: 'suspect', nodeId, incarnation })
    peerTable.suspect(nodeId)
  }

  #judgeAt(nodeId: string, deadline: number): Timer {
    const { clock, timers } = this.#deps
    return timers.after(Math.max(0, deadline - clock.monotonicMs()), () => this.#judge(nodeId))
  }

  #judge(nodeId: string): void {
    const { clock, gossip, health, logger, peerTable } = this.#deps
    const suspicion = this.#suspicions.get(nodeId)
    if (!suspicion) return
    const lateMs = clock.monotonicMs() - suspicion.deadline
    if (lateMs > LAG_MS) {
      health.late(lateMs)
      suspicion.deadline = clock.monotonicMs() + this.#options.suspicionMs * health.stretch
      suspicion.timer = this.#judgeAt(nodeId, suspicion.deadline)
      return
    }
    const peer = peerTable.get(nodeId)
    logger.info({ peer: peer?.info.name, address: peer?.info.address }, 'a peer is dead')
    gossip.add({ state: 'dead', nodeId, incarnation: suspicion.incarnation })
    peerTable.dead(nodeId)
  }

  #forget(nodeId: string): void {
    this.#suspicions.get(nodeId)?.timer.cancel()
    this.#suspicions.delete(nodeId)
    this.#checkedAt.delete(nodeId)
  }

  /** A time-out that fires too late shows that this node stood still, and nothing about the peer. */
  #standsStill(startedAt: number, timeoutMs: number): boolean {
    const lateMs = this.#deps.clock.monotonicMs() - startedAt - timeoutMs
    this.#deps.health.late(lateMs)
    return !this.#unlisten || lateMs > LAG_MS
  }
}

class NotTheSameError extends Error {
  readonly code = 'NOT_THE_SAME'
  constructor({ address, name }: NodeInfo) {
    super(`what answers at ${address} does not prove to be ${name}`)
    this.name = 'NotTheSameError'
  }
}

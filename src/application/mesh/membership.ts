/**
 * Room `mesh`: which members are alive, and at which address.
 *
 * Long because starting, meeting, losing and leaving are one state of the peer table, which no two files should change.
 */

import type { Discovery, DiscoveryState } from '../../ports/mesh/discovery.js'
import type {
  Challenge,
  Goodbye,
  HelloAnswer,
  NodeProof,
  Ping,
  Pong,
  Rumor,
} from '../../ports/mesh/liveness-messages.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import type { PeerRepository } from '../../ports/store/peer-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Budgets } from '../budgets/budgets.js'
import { Gossip } from './gossip.js'
import { LocalHealth } from './local-health.js'
import { isAt, type NodeIdentity } from './node-identity.js'
import { PeerDialer } from './peer-dialer.js'
import { PeerProber } from './peer-prober.js'
import { isReachable, type PeerChange, type PeerTable } from './peer-table.js'

export interface MembershipDeps {
  readonly budgets: Budgets
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly discovery: Discovery
  readonly identity: NodeIdentity
  readonly peerClient: Pick<PeerClient, 'hello' | 'ping' | 'pingVia' | 'goodbye'>
  readonly peerRepository: PeerRepository
  readonly peerTable: PeerTable
}

export interface MembershipOptions {
  /** Another, older node runs with this node's key: this one must stop. */
  readonly onKeyInUse: (error: NodeKeyInUseError) => void
  readonly probeIntervalMs?: number
  readonly probeTimeoutMs?: number
  readonly suspicionMs?: number
  readonly goneSuspicionMs?: number
  readonly redialMs?: number
}

/**
 * Together they mean: a killed peer (connection refused) is given up after at most one interval and `goneSuspicionMs`,
 * one that keeps silent after one interval, two time-outs and `suspicionMs`, which is 5.1 s, or 9.2 s for a node in
 * bad health. A stall of 2 s has no effect.
 */
const PROBE_INTERVAL_MS = 1_000
const PROBE_TIMEOUT_MS = 800
const SUSPICION_MS = 2_500
const GONE_SUSPICION_MS = 1_500
const REDIAL_MS = 1_000
const GOODBYE_TIMEOUT_MS = 300
const MAX_REMEMBERED_PEERS = 100
/** Peers named in an answer to a hello. */
const MAX_PEERS_NAMED = 100
/** Challenges passed on for others at once. */
const MAX_PASSED_ON = 128

/** Two nodes hold the same key, usually because a data directory was copied. */
export class NodeKeyInUseError extends Error {
  readonly code = 'NODE_KEY_IN_USE'
  constructor(readonly twin: NodeInfo) {
    super(
      `another node ("${twin.name}" at ${twin.address}) already runs with this node's key: stop that one first, or ` +
        'start this one with a data directory of its own, not with a copy',
    )
    this.name = 'NodeKeyInUseError'
  }
}

/**
 * Finds the other nodes and watches them: SWIM, where a node signs everything that it says about itself. Every source
 * of addresses (the DHT, peers of peers, the last run) is a hint: an address is dialled, and who answers there has to
 * prove who it is. The result is the peer table.
 */
export class Membership {
  readonly #deps: MembershipDeps
  readonly #options: MembershipOptions
  readonly #health = new LocalHealth()
  readonly #gossip = new Gossip()
  readonly #dialer: PeerDialer
  readonly #prober: PeerProber
  #running = false
  #timer: Timer | null = null
  #tickDueAt = 0
  #passedOn = 0
  #unlisten: (() => void) | null = null

  constructor(deps: MembershipDeps, options: MembershipOptions) {
    this.#deps = deps
    this.#options = options
    const { probeTimeoutMs = PROBE_TIMEOUT_MS, suspicionMs = SUSPICION_MS } = options
    const { goneSuspicionMs = GONE_SUSPICION_MS, redialMs = REDIAL_MS } = options
    this.#dialer = new PeerDialer(deps, {
      dialTimeoutMs: probeTimeoutMs,
      redialMs,
      onTwin: (twin) => this.#onTwin(twin),
    })
    this.#prober = new PeerProber(
      { ...deps, health: this.#health, gossip: this.#gossip },
      {
        probeTimeoutMs,
        suspicionMs,
        goneSuspicionMs,
        onRumors: (rumors, from) => this.#hear(rumors, from),
        onChanged: (address) => this.#dialer.again(address),
      },
    )
  }

  async start(rpcPort: number): Promise<void> {
    if (this.#running) return
    this.#running = true
    const { discovery, peerRepository, peerTable } = this.#deps
    this.#unlisten = peerTable.onChange((change) => this.#onChange(change))
    this.#dialer.start()
    this.#prober.start()
    const remembered = await peerRepository.list(MAX_REMEMBERED_PEERS)
    const addresses = remembered.map(({ address }) => address)
    this.#dialer.consider(addresses, 'member')
    for (const { dhtAddress } of remembered) if (dhtAddress) discovery.introduce(dhtAddress)
    await discovery.start(rpcPort, {
      addresses: (found) => this.consider(found),
      state: (state, cause) => this.#onGrape(state, cause),
    })
    this.#tick()
  }

  /** Says goodbye to whoever can be reached, then leaves the DHT to forget this node. */
  async stop(): Promise<void> {
    if (!this.#running) return
    this.#running = false
    this.#timer?.cancel()
    this.#unlisten?.()
    this.#dialer.stop()
    this.#prober.stop()
    const { discovery, identity, logger, peerClient, peerTable } = this.#deps
    const goodbye = identity.goodbye()
    const farewell = peerTable.reachable().map(async ({ info }) => {
      await peerClient.goodbye(info.address, goodbye, { timeoutMs: GOODBYE_TIMEOUT_MS }).catch((error) => {
        logger.debug({ err: error, peer: info.name }, 'a goodbye was not heard')
      })
    })
    await Promise.all(farewell)
    await discovery.stop()
  }

  /** Takes addresses ("host:port") into account that may lead to peers. */
  consider(addresses: readonly string[]): void {
    this.#dialer.consider(addresses, 'found')
  }

  /** Addresses of members, as the member list has them. */
  considerMembers(addresses: readonly string[]): void {
    this.#dialer.consider(addresses, 'member')
  }

  hello(challenge: Challenge): HelloAnswer {
    const { identity, peerTable } = this.#deps
    const proof = identity.prove(challenge)
    this.#met(challenge.caller, challenge.caller.nodeId)
    const peers = peerTable.reachable().slice(0, MAX_PEERS_NAMED)
    const node = { ...identity.info, address: proof.address, incarnation: proof.incarnation }
    return { node, proof, peers: peers.map(({ info }) => info) }
  }

  /** `from`: the member that sends it, which may pass on another's challenge. */
  ping({ challenge, rumors }: Ping, from: string): Pong {
    const { identity, peerTable } = this.#deps
    identity.requireSameMesh(challenge)
    this.#hear(rumors, from)
    const proof = identity.prove(challenge)
    this.#met(challenge.caller, from)
    return { proof, rumors: this.#gossip.take(peerTable.reachable().length) }
  }

  /** Puts another's challenge to a peer in use, at the address at which this node knows it. */
  async pingVia(target: string, challenge: Challenge, from: string): Promise<NodeProof> {
    const peer = this.#deps.peerTable.get(target)
    if (!peer || !isReachable(peer)) {
      throw new NodeError('NODE_UNREACHABLE', 'this node does not know that peer either', { field: 'target' })
    }
    const passed = this.#deps.budgets.of('passed-pings')
    if (this.#passedOn >= MAX_PASSED_ON || !passed.take(from))
      throw new NodeError('BUSY', 'too many challenges to pass on')
    this.#passedOn += 1
    const timeoutMs = this.#options.probeTimeoutMs ?? PROBE_TIMEOUT_MS
    try {
      const ping = { challenge, rumors: [] }
      return (await this.#deps.peerClient.ping(peer.info.address, ping, { timeoutMs })).proof
    } catch (cause) {
      throw new NodeError('NODE_UNREACHABLE', 'that peer does not answer here either', { cause })
    } finally {
      this.#passedOn -= 1
      passed.give(from)
    }
  }

  goodbye(goodbye: Goodbye): void {
    this.#hear([{ state: 'left', ...goodbye }], goodbye.nodeId)
  }

  /** A node introduced itself to us: it is known once it also proves itself where it says it is. */
  #met(caller: NodeInfo, from: string): void {
    const known = this.#deps.peerTable.get(caller.nodeId)
    if (known && isReachable(known)) {
      const { address, incarnation } = known.info
      if (isAt(caller.address, address)) {
        // A suspect that asks for us may well answer by now.
        const isAsKnown = known.state === 'alive' && incarnation === caller.incarnation
        if (!isAsKnown) this.#prober.check(caller.nodeId)
        return
      }
    }
    this.#dialer.soon(caller.address, 'found', from)
  }

  #hear(rumors: readonly Rumor[], from: string): void {
    for (const rumor of rumors) this.#hearOne(rumor, from)
  }

  #hearOne(rumor: Rumor, from: string): void {
    const { identity, peerTable } = this.#deps
    if (rumor.nodeId === identity.info.nodeId) {
      const isDoubt = rumor.state === 'suspect' || rumor.state === 'dead'
      if (!isDoubt || !identity.refute(rumor.incarnation)) return
      this.#health.accused()
      this.#gossip.add(identity.alive())
      return
    }
    const known = peerTable.get(rumor.nodeId)
    if (!known) {
      if (rumor.state === 'alive') this.#dialer.consider([rumor.address], 'found', from)
      return
    }
    const { publicKey, incarnation, address } = known.info
    switch (rumor.state) {
      case 'alive':
        if (rumor.incarnation <= incarnation || !identity.isAliveWordOf(publicKey, rumor)) return
        this.#gossip.add(rumor)
        if (isReachable(known) && isAt(rumor.address, address)) {
          peerTable.refuted(rumor.nodeId, rumor.incarnation)
        } else this.#dialer.soon(rumor.address, 'member', rumor.nodeId)
        return
      case 'left':
        // Of two nodes with one key, the one may leave without the other.
        if (!isAt(rumor.address, address) || !identity.isGoodbyeOf(publicKey, rumor)) return
        if (peerTable.left(rumor.nodeId, rumor.incarnation)) this.#gossip.add(rumor)
        return
      case 'suspect':
      case 'dead':
        // Hearsay: it makes this node look, and is not passed on but to the peer itself, which can refute it.
        if (rumor.incarnation >= incarnation) this.#prober.check(rumor.nodeId)
        return
      default: {
        const unknown: never = rumor
        throw new Error(`unknown rumor ${JSON.stringify(unknown)}`)
      }
    }
  }

  #tick(): void {
    if (!this.#running) return
    const now = this.#deps.clock.monotonicMs()
    if (this.#tickDueAt > 0) this.#health.late(now - this.#tickDueAt)
    const intervalMs = this.#options.probeIntervalMs ?? PROBE_INTERVAL_MS
    this.#tickDueAt = now + intervalMs
    this.#timer = this.#deps.timers.after(intervalMs, () => this.#tick())
    this.#dialer.dialDue()
    void this.#prober.round()
  }

  #onChange({ peer, before }: PeerChange): void {
    const { discovery, logger } = this.#deps
    const { address, name } = peer.info
    if (peer.state === 'alive' && before !== 'suspect') discovery.admit(address)
    else if (peer.state === 'dead' || peer.state === 'left') discovery.evict(address)
    logger.debug({ peer: name, address, before, state: peer.state }, 'a peer changed its state')
  }

  #onTwin(twin: NodeInfo): void {
    const { identity, logger } = this.#deps
    const { incarnation, address } = identity.info
    const isOlder = twin.incarnation < incarnation || (twin.incarnation === incarnation && twin.address < address)
    if (isOlder) this.#options.onKeyInUse(new NodeKeyInUseError(twin))
    else logger.warn({ twin: twin.address }, 'a node that started later holds the key of this one')
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

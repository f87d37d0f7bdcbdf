import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { NodeInfo, PeerState, PeerView } from '../../ports/node/node-info.js'
import type { PeerTurn, PeerTurnReason } from '../../ports/node/node-status.js'
import type { Clock } from '../../ports/system/clock.js'

/** Peers kept in the table; beyond this, those gone the longest are forgotten first. */
export const MAX_PEERS = 1_000

export interface PeerEntry {
  info: NodeInfo
  state: PeerState
  /** UTC milliseconds. */
  lastSeenAt: number
  roundTripMs: number | null
  /** Whether this node itself got its last sign of life from the peer; through others otherwise. */
  isDirect: boolean
  /** The newest life that has said goodbye. */
  leftIn: number | null
}

export type PeerChange = { readonly peer: PeerEntry; readonly before: PeerState | null }

/** Changes that are remembered, for operators. */
const MAX_TURNS = 50

/**
 * Who is in the mesh and in which state, as far as this node could verify it; notifies listeners of every change of
 * state. Only a node that has proven itself is listed. Within one incarnation the state changes from alive to suspect
 * and back, and to dead or left; only a new handshake ends those two.
 */
export class PeerTable {
  readonly #clock: Clock
  readonly #members: Pick<MemberDirectory, 'member'> | null
  readonly #peers = new Map<string, PeerEntry>()
  readonly #listeners = new Set<(change: PeerChange) => void>()
  readonly #turns: PeerTurn[] = []

  /** With a member list, peers have the names that stand there, whatever they call themselves. */
  constructor(deps: { readonly clock: Clock; readonly members?: Pick<MemberDirectory, 'member'> }) {
    this.#clock = deps.clock
    this.#members = deps.members ?? null
  }

  /** The member list has changed. */
  rename(): void {
    for (const peer of this.#peers.values()) peer.info = this.#named(peer.info)
  }

  #named(info: NodeInfo): NodeInfo {
    const name = this.#members?.member(info.nodeId)?.name
    return name === undefined || name === info.name ? info : { ...info, name }
  }

  /** A peer that comes back in a new life changes from `dead` to `alive`, even where its end went unnoticed. */
  onChange(listener: (change: PeerChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What changed last, and why; newest first. */
  get turns(): readonly PeerTurn[] {
    return [...this.#turns].reverse()
  }

  get(nodeId: string): PeerEntry | undefined {
    return this.#peers.get(nodeId)
  }

  /** The peer in use there, if any; addresses of the dead may belong to others by now. */
  byAddress(address: string): PeerEntry | undefined {
    const there = this.all().filter(({ info }) => info.address === address)
    return there.find(isReachable) ?? there[0]
  }

  all(): PeerEntry[] {
    return [...this.#peers.values()]
  }

  /** Those worth calling: alive, and suspects too, who may only be slow. */
  reachable(): PeerEntry[] {
    return this.all().filter(isReachable)
  }

  /** The peer, where it is worth calling; null otherwise. */
  whereabouts(nodeId: string): NodeInfo | null {
    const peer = this.#peers.get(nodeId)
    return peer && isReachable(peer) ? peer.info : null
  }

  /**
   * The peer has proven who it is, at its address and with its incarnation. False where that is not the life of the
   * peer that counts (an older one while a newer one is in use elsewhere, or one that has said goodbye), or where it is
   * in use at another of its addresses.
   */
  admit(claimed: NodeInfo, roundTripMs: number): boolean {
    const info = this.#named(claimed)
    const known = this.#peers.get(info.nodeId)
    if (known && !supersedes(info, known)) return false
    const newLife = known && known.info.incarnation !== info.incarnation
    const peer: PeerEntry = known ?? {
      info,
      state: 'dead',
      lastSeenAt: 0,
      roundTripMs,
      isDirect: true,
      leftIn: null,
    }
    if (!known) this.#makeRoom()
    this.#peers.set(info.nodeId, peer)
    peer.info = info
    this.#alive(peer, roundTripMs)
    const before = known ? peer.state : null
    peer.state = 'alive'
    if (newLife) this.#notify(peer, 'dead', 'proven')
    else if (before !== 'alive') this.#notify(peer, before, 'proven')
    return true
  }

  /** A peer in use has proven at its address that it lives; `roundTripMs` is null where others asked for us. */
  answered(nodeId: string, incarnation: number, roundTripMs: number | null): void {
    const peer = this.#peers.get(nodeId)
    if (!peer || !isReachable(peer)) return
    peer.info = { ...peer.info, incarnation }
    this.#alive(peer, roundTripMs)
    this.#move(peer, 'alive', 'answered')
  }

  /** The peer did not answer. */
  suspect(nodeId: string): void {
    const peer = this.#peers.get(nodeId)
    if (peer?.state === 'alive') this.#move(peer, 'suspect', 'no-answer')
  }

  /** The peer's own signed word, with a higher incarnation, that it lives. */
  refuted(nodeId: string, incarnation: number): void {
    const peer = this.#peers.get(nodeId)
    if (!peer || !isReachable(peer) || incarnation <= peer.info.incarnation) return
    peer.info = { ...peer.info, incarnation }
    this.#alive(peer, null)
    this.#move(peer, 'alive', 'refuted')
  }

  /** The peer is declared dead. */
  dead(nodeId: string): void {
    const peer = this.#peers.get(nodeId)
    if (peer && isReachable(peer)) this.#move(peer, 'dead', 'silent')
  }

  /**
   * The peer's own signed word that it leaves. False where that is no news: a goodbye from an earlier life, or one
   * heard before, does not put out a node that has come back since.
   */
  left(nodeId: string, incarnation: number): boolean {
    const peer = this.#peers.get(nodeId)
    if (!peer || incarnation < peer.info.incarnation || incarnation === peer.leftIn) return false
    peer.info = { ...peer.info, incarnation }
    peer.leftIn = incarnation
    this.#move(peer, 'left', 'goodbye')
    return true
  }

  /** The node was revoked: nothing of it is kept. */
  remove(nodeId: string): void {
    const peer = this.#peers.get(nodeId)
    if (!peer) return
    if (isReachable(peer)) this.#move(peer, 'left', 'revoked')
    this.#peers.delete(nodeId)
  }

  #alive(peer: PeerEntry, roundTripMs: number | null): void {
    peer.lastSeenAt = this.#clock.now()
    peer.isDirect = roundTripMs !== null
    if (roundTripMs !== null) peer.roundTripMs = roundTripMs
  }

  #move(peer: PeerEntry, state: PeerState, why: PeerTurnReason): void {
    const before = peer.state
    peer.state = state
    if (before !== state) this.#notify(peer, before, why)
  }

  #notify(peer: PeerEntry, before: PeerState | null, why: PeerTurnReason): void {
    const { nodeId, name, address } = peer.info
    this.#turns.push({ at: this.#clock.now(), nodeId, name, address, state: peer.state, why })
    if (this.#turns.length > MAX_TURNS) this.#turns.shift()
    for (const listener of this.#listeners) listener({ peer, before })
  }

  #makeRoom(): void {
    if (this.#peers.size < MAX_PEERS) return
    const gone = this.all().filter((peer) => !isReachable(peer))
    const oldest = (gone.length > 0 ? gone : this.all()).sort((a, b) => a.lastSeenAt - b.lastSeenAt)[0]
    if (oldest) this.#peers.delete(oldest.info.nodeId)
  }
}

export function isReachable({ state }: PeerEntry): boolean {
  return state === 'alive' || state === 'suspect'
}

export function peerView({ info, state, lastSeenAt, roundTripMs }: PeerEntry): PeerView {
  return { ...info, state, lastSeenAt, roundTripMs }
}

/**
 * A fresh proof may well show a lower incarnation: a clock was set back, or the newer of two nodes with one key has
 * gone. It only has to wait until the newer one is not in use any more. A node with several addresses stays at the one
 * that works, rather than moving from one to the other all the time.
 */
function supersedes(info: NodeInfo, known: PeerEntry): boolean {
  const { address, incarnation } = known.info
  if (known.state === 'left') return info.incarnation !== incarnation
  if (!isReachable(known) || info.address === address || info.incarnation > incarnation) return true
  return info.incarnation === incarnation && (known.state === 'suspect' || !known.isDirect)
}

import type { Clock } from '../ports/clock.js'
import type { PeerState, PeerView } from '../ports/node-api.js'
import type { NodeInfo } from '../ports/peer-client.js'

/** Peers kept in the table; past it, those gone the longest are forgotten first. */
export const MAX_PEERS = 1_000

export interface PeerEntry {
  info: NodeInfo
  state: PeerState
  /** UTC milliseconds. */
  lastSeenAt: number
  roundTripMs: number | null
  /** Probes in a row that had no answer. */
  missed: number
}

export type PeerChange = { readonly peer: PeerEntry; readonly before: PeerState | null }

/** Who is in the mesh and how they are, by this node's own observation; tells listeners of every change of state. */
export class PeerTable {
  readonly #clock: Clock
  readonly #peers = new Map<string, PeerEntry>()
  readonly #listeners = new Set<(change: PeerChange) => void>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  onChange(listener: (change: PeerChange) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  get(nodeId: string): PeerEntry | undefined {
    return this.#peers.get(nodeId)
  }

  byAddress(address: string): PeerEntry | undefined {
    for (const peer of this.#peers.values()) if (peer.info.address === address) return peer
    return undefined
  }

  all(): PeerEntry[] {
    return [...this.#peers.values()]
  }

  /** Those worth calling: alive, and suspects too, who may only be slow. */
  reachable(): PeerEntry[] {
    return this.all().filter(({ state }) => state === 'alive' || state === 'suspect')
  }

  /** A sign of life from the peer itself. An older incarnation than the one known is a late echo, and ignored. */
  seen(info: NodeInfo, roundTripMs: number | null = null): void {
    const known = this.#peers.get(info.nodeId)
    if (known && info.incarnation < known.info.incarnation) return
    if (known?.state === 'left' && info.incarnation === known.info.incarnation) return
    const peer: PeerEntry = known ?? { info, state: 'dead', lastSeenAt: 0, roundTripMs: null, missed: 0 }
    if (!known) this.#makeRoom()
    this.#peers.set(info.nodeId, peer)
    peer.info = info
    peer.missed = 0
    peer.lastSeenAt = this.#clock.now()
    if (roundTripMs !== null) peer.roundTripMs = roundTripMs
    this.#move(peer, 'alive', known ? peer.state : null)
  }

  /** The peer did not answer: suspected at once, dead after `deadAfter` misses in a row. */
  missed(nodeId: string, deadAfter: number): void {
    const peer = this.#peers.get(nodeId)
    if (!peer || peer.state === 'dead' || peer.state === 'left') return
    peer.missed += 1
    this.#move(peer, peer.missed >= deadAfter ? 'dead' : 'suspect', peer.state)
  }

  /** The peer said goodbye. */
  left(nodeId: string): void {
    const peer = this.#peers.get(nodeId)
    if (peer) this.#move(peer, 'left', peer.state)
  }

  #move(peer: PeerEntry, state: PeerState, before: PeerState | null): void {
    peer.state = state
    if (before === state) return
    for (const listener of this.#listeners) listener({ peer, before })
  }

  #makeRoom(): void {
    if (this.#peers.size < MAX_PEERS) return
    const gone = this.all().filter(({ state }) => state === 'dead' || state === 'left')
    const oldest = (gone.length > 0 ? gone : this.all()).sort((a, b) => a.lastSeenAt - b.lastSeenAt)[0]
    if (oldest) this.#peers.delete(oldest.info.nodeId)
  }
}

export function peerView({ info, state, lastSeenAt, roundTripMs }: PeerEntry): PeerView {
  return { ...info, state, lastSeenAt, roundTripMs }
}

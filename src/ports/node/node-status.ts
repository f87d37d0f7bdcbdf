import type { AuctionStatus } from '../../domain/auction.js'
import type { MemberLogConflict } from '../members/member-directory.js'
import type { ConsumerStatus } from '../store/consumer-status.js'
import type { PictureUsage } from '../store/picture-store.js'
import type { ClusterStatus } from './cluster-status.js'
import type { NodeInfo, PeerState } from './node-info.js'

export interface NodeStatus {
  readonly node: NodeInfo
  readonly dataDir: string
  readonly grapeUrl: string
  readonly grape: 'connected' | 'unreachable'
  readonly peers: {
    readonly alive: number
    readonly suspect: number
    readonly dead: number
    readonly left: number
  }
  readonly auctions: Readonly<Record<AuctionStatus, number>>
  /** Scheduled and open auctions whose home is this node: they pause while it is away. */
  readonly ownLive: number
  readonly bids: number
  readonly sync: SyncStatus
  readonly mesh: MeshStatus
  /** Null while the machine's clock keeps step with the time that has passed. */
  readonly clockDoubt: ClockDoubt | null
  /** Auctions of this home that it must not write to; the first 100. */
  readonly held: readonly HeldAuction[]
  /** A home that has just started writes nothing before a peer has answered; null once it does. */
  readonly peerWait: PeerWait | null
  /** Peers that came into use or were taken out of it, newest first; the last 50. */
  readonly peerChanges: readonly PeerTurn[]
  /** Null if TLS is switched off. */
  readonly handshakes: HandshakeCounts | null
  /** What members and accounts may use up of this node, and how much they have. */
  readonly budgets: readonly BudgetStatus[]
  readonly pictures: PictureUsage
  /** Null if the node belongs to no cluster. */
  readonly cluster: ClusterStatus | null
  /** The services that the node runs beside it. */
  readonly consumers: readonly ConsumerStatus[]
  readonly uptimeMs: number
  readonly pid: number
}

/** A change in what this node makes of a peer. */
export interface PeerTurn {
  /** UTC milliseconds. */
  readonly at: number
  readonly nodeId: string
  readonly name: string
  readonly address: string
  /** Since then. */
  readonly state: PeerState
  readonly why: PeerTurnReason
}

/**
 * `proven`: a handshake has shown who it is; `answered`: a suspect answered after all; `refuted`: a suspect said by its
 * own signature that it lives; `no-answer`: it answered neither this node nor others; `silent`: that went on for too
 * long; `goodbye`: it said that it leaves; `revoked`: it is no member any more. With the last three it is taken out of
 * use, and out of what is looked up.
 */
export type PeerTurnReason = 'proven' | 'answered' | 'refuted' | 'no-answer' | 'silent' | 'goodbye' | 'revoked'

/** An auction that its home must not write to. */
export interface HeldAuction {
  readonly auctionId: string
  /**
   * `damaged`: what is stored of it is not what its log says; `behind`: peers hold events that this node has signed and
   * does not hold itself; `forked`: this node has signed two histories; `secrets-lost`: it cannot be closed as it was
   * promised.
   */
  readonly because: 'damaged' | 'behind' | 'forked' | 'secrets-lost'
  readonly why: string
  /** What the operator can do about it. */
  readonly next: string
  /** Since when nobody can bid, UTC milliseconds. */
  readonly since: number
}

/** What a home waits for before it writes. */
export interface PeerWait {
  /** Names of peers that may hold more. */
  readonly peers: readonly string[]
  /** When it goes on without them, UTC milliseconds. */
  readonly until: number
}

/** One thing that senders use up; each of them may use as much of it as `limit`. */
export interface BudgetStatus {
  readonly name: string
  /** Of `limit` and of what is used. */
  readonly unit: string
  readonly limit: number
  /** How long until all of it is back; null: it comes back as what is held or kept goes. */
  readonly refillMs: number | null
  /** Who has used most: a node's id, or an account's. Null if nobody has used anything. */
  readonly fullest: { readonly sender: string; readonly used: number } | null
  /** How often somebody was refused or put off for it since the start. */
  readonly refused: number
}

/** The mesh as this node's copy of the member list has it. */
export interface MeshStatus {
  readonly meshId: string
  /** Public key of the mesh's newest authority, base64url. */
  readonly authority: string | null
  readonly members: number
  /** The mesh's authority has signed two histories of the member list: its key is used in two places. */
  readonly conflict: MemberLogConflict | null
}

/** The machine's clock was set, or the machine slept: the home goes by the time that has passed. */
export interface ClockDoubt {
  /** How far the clock is ahead of that time; negative: behind. */
  readonly aheadMs: number
  /** When it counts, if it stays so. */
  readonly countsInMs: number
  /** Auctions of this home that would have started or ended by it, and are held. */
  readonly holds: number
}

/** TLS handshakes since the start. */
export interface HandshakeCounts {
  /** With members, as the server and as the client. */
  readonly accepted: number
  readonly dialled: number
  /** Not finished, or with somebody who is not let in. */
  readonly refused: number
  /** Connections of strangers that were closed to make room for others. */
  readonly dropped: number
}

/** How far this node's replicas are behind what its peers hold. */
export interface SyncStatus {
  /**
   * `alone`: there is no live peer to sync with; `synced`: nothing is known to be missing; `incomplete`: nothing is but
   * what this node refuses, which `refusedAuctions` names.
   */
  readonly state: 'syncing' | 'synced' | 'incomplete' | 'alone'
  /** UTC milliseconds. */
  readonly since: number
  /** Events stored in this sync, or in the last one. */
  readonly done: number
  /** Events that it is about, as far as is known. */
  readonly total: number
  readonly eventsPerSecond: number
  /** Null if it is not known. */
  readonly msLeft: number | null
  /** Commits refused since the start because they were not what they claimed. */
  readonly refused: number
  /** Auctions that lack what their homes have signed, since this node does not take it. */
  readonly refusedAuctions: readonly RefusedAuction[]
  /** Auctions of this node that peers do not take any further. */
  readonly doubtedAuctions: readonly DoubtedAuction[]
}

/** What is missing of an auction because its home has signed what this node refuses. */
export interface RefusedAuction {
  readonly auctionId: string
  /** The first event that is missing. */
  readonly seq: number
  /** The rule that is broken. */
  readonly reason: string
  /** The node whose fault it is, unless it is this one's. */
  readonly home: string
  readonly homeName: string | null
}

/** An auction of this node's that goes on here alone. */
export interface DoubtedAuction {
  readonly auctionId: string
  /** The first event that the peers refuse. */
  readonly seq: number
  readonly reason: string
  /** Their names. */
  readonly peers: readonly string[]
}

import type { NewEnd } from '../../domain/commands.js'
import type { Commit, Head } from '../../domain/commit.js'
import type { Minor } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { EquivocationProof } from '../store/equivocation-repository.js'
import type { AuctionHead } from '../store/event-log.js'
import type { Outcome } from '../store/outcome-repository.js'

/** How a node introduces itself. */
export interface NodeInfo {
  readonly nodeId: string
  readonly name: string
  readonly publicKey: string
  /** The software's version. */
  readonly version: string
  /** Where it serves RPC, "host:port". */
  readonly address: string
  readonly dhtAddress: string | null
  /**
   * Grows with every life of the node: UTC milliseconds when it started, raised by one each time the node refutes that
   * it is dead.
   */
  readonly incarnation: number
}

/** What a caller asks a node to prove itself with. */
export interface Challenge {
  /** Nodes of another mesh refuse. */
  readonly meshId: string
  /** Random, base64url; never used twice. */
  readonly nonce: string
  /** "host:port" that the caller dialled. */
  readonly to: string
  /** How the caller introduces itself. A claim: it is believed once it was dialled back and has proven itself too. */
  readonly caller: NodeInfo
}

/** A node's answer to a challenge: who it is, where, and in which life. */
export interface NodeProof {
  readonly nodeId: string
  /** Where it says that it serves RPC. */
  readonly address: string
  readonly incarnation: number
  /** By the node's key over all of this, the mesh, the nonce and the caller's id; base64url. */
  readonly signature: string
}

/** A node leaves the mesh, in its own signed words. */
export interface Goodbye {
  readonly nodeId: string
  /** Where it was. */
  readonly address: string
  readonly incarnation: number
  readonly signature: string
}

/**
 * News of a node, passed on from node to node. `alive` and `left` are the node's own signed words; `suspect` and `dead`
 * are what the teller observed, and no more than a reason to look for oneself.
 */
export type Rumor =
  | {
      readonly state: 'alive'
      readonly nodeId: string
      readonly address: string
      readonly incarnation: number
      readonly signature: string
    }
  | ({ readonly state: 'left' } & Goodbye)
  | { readonly state: 'suspect' | 'dead'; readonly nodeId: string; readonly incarnation: number }

export interface HelloAnswer {
  readonly node: NodeInfo
  readonly proof: NodeProof
  /** Peers in use there: addresses to try. */
  readonly peers: NodeInfo[]
}

export interface Ping {
  readonly challenge: Challenge
  readonly rumors: readonly Rumor[]
}

export interface Pong {
  readonly proof: NodeProof
  readonly rumors: Rumor[]
}

/** How far a node's copy of an auction's log goes, durably. */
export interface StoredHead {
  readonly auctionId: string
  readonly seq: number
}

/** A part of what goes with an auction to its next home, in the words of the present one. */
export interface SignedParcel {
  readonly auctionId: string
  /** JSON of `HandoverPart` (see application/handover/handover-parcel.ts). */
  readonly parcel: string
  /** By the home's key; base64url. */
  readonly signature: string
}

/** A command on its way to the home. */
export type RemoteCommand = (
  | {
      readonly type: 'bid'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
      readonly kind: 'plain'
      readonly amount: Minor
    }
  | {
      readonly type: 'bid'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
      readonly kind: 'max'
      readonly amount: Minor
      /** Behind the commitment that stands for the maximum in public. */
      readonly salt: string
    }
  | {
      readonly type: 'buy-now'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
    }
  | { readonly type: 'close'; readonly auctionId: string; readonly commandId: string; readonly by: Party }
  | {
      readonly type: 'cancel'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
      readonly reason: string
    }
  | ({
      readonly type: 'extend'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
    } & NewEnd)
) & {
  /** Acknowledge an acceptance only once this many replicas have stored it, too; none where absent. */
  readonly replicas?: number
}

/** A node's signature over all commands for one auction in a request (see application/orders/order.ts). */
export interface SubmittedOrder {
  readonly auctionId: string
  /** The node's public key. */
  readonly signer: string
  /** The node's clock, UTC milliseconds. */
  readonly signedAt: number
  readonly signature: string
}

/** The answer to one command: its outcome, or why there is none (nothing was done, asking again is safe). */
export type SubmitResult =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: false; readonly code: string; readonly message: string }

/** A home's answer to commands, one result each in order, signed as a whole. */
export interface SubmitAnswer {
  readonly results: readonly SubmitResult[]
  /** Over the outcomes among the results (see application/orders/receipt.ts); null where there is none. */
  readonly receipt: ReceiptSignature | null
}

export interface ReceiptSignature {
  /** The home's clock, UTC milliseconds. */
  readonly signedAt: number
  readonly signature: string
}

/** An auction's commits from the one that holds `fromSeq` on. */
export interface PullWant {
  readonly auctionId: string
  readonly fromSeq: number
}

export interface PulledPage {
  readonly auctionId: string
  readonly commits: readonly Commit[]
  /** Where the peer's log of the auction ends; null where it has none. */
  readonly head: Head | null
}

/** The sum of the heads of all auctions whose ids begin with `prefix` (see application/replication/heads-digest.ts). */
export interface DigestPart {
  readonly prefix: string
  /** The heads' hashes, added without carry; lower-case hex. */
  readonly sum: string
}

export interface HeadRange {
  /** Empty: all auctions. */
  readonly prefix: string
  /** From after this id on; null: from the start. */
  readonly afterId: string | null
}

export interface CallOptions {
  /** Milliseconds until the call is given up; the adapter's default otherwise. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Of the requests that it is made for, one for each command of a submit: for the peer's log. */
  readonly requestIds?: readonly (string | null)[] | undefined
}

/**
 * Calls to one chosen peer by its address. A call either resolves with the peer's answer or rejects with a
 * `PeerCallError`; unless that says the request never left (`sent: false`) or that the peer refused it
 * (`answered: true`), its effect is unknown. Nothing is retried here.
 */
export interface PeerClient {
  hello(address: string, challenge: Challenge, options?: CallOptions): Promise<HelloAnswer>
  ping(address: string, ping: Ping, options?: CallOptions): Promise<Pong>
  /** Has the peer at `address` put our challenge to `target` (a node id), where it knows that node, and pass the proof on. */
  pingVia(address: string, target: string, challenge: Challenge, options?: CallOptions): Promise<NodeProof>
  /** This node leaves the mesh. */
  goodbye(address: string, goodbye: Goodbye, options?: CallOptions): Promise<void>
  /** One result per command, in order; an order for each auction among them. Whether the home signed them is for the caller to check. */
  submit(
    address: string,
    commands: readonly RemoteCommand[],
    orders: readonly SubmittedOrder[],
    options?: CallOptions,
  ): Promise<SubmitAnswer>
  /** Resolves with how far the peer's copies of these auctions go now. */
  pushCommits(
    address: string,
    from: string,
    commits: readonly Commit[],
    options?: CallOptions,
  ): Promise<StoredHead[]>
  /** Once it resolves, the peer keeps the parcel durably; of the last one, holds the log up to its head as well. */
  passHandover(
    address: string,
    from: string,
    parcel: SignedParcel,
    options?: CallOptions,
  ): Promise<string | null>
  /**
   * The next commits of several auctions, as many as one answer holds: pages in the order of the wants, perhaps fewer
   * than there are wants, the last one perhaps cut short. What they are worth is for the caller to check.
   */
  pullCommits(address: string, wants: readonly PullWant[], options?: CallOptions): Promise<PulledPage[]>
  /** A sum of all that the peer holds: equal parts mean equal heads, so that most comparisons end here. */
  digest(address: string, options?: CallOptions): Promise<DigestPart[]>
  /** Pages of the peer's heads in ascending order of auction id, of ids with this prefix. */
  heads(
    address: string,
    range: HeadRange,
    options?: CallOptions,
  ): Promise<{ heads: AuctionHead[]; next: string | null }>
  /** Tells the home of an auction that this node does not take a commit of it. */
  tellRefusal(address: string, refusal: Refusal, options?: CallOptions): Promise<void>
  /** Tells the peer of a home that has signed two histories. Refused where the peer does not find it proven. */
  tellEquivocation(address: string, proof: EquivocationProof, options?: CallOptions): Promise<void>
  stop(): Promise<void>
}

/** A home's commit that the node `from` does not take. */
export interface Refusal {
  readonly from: string
  readonly auctionId: string
  /** Of its first event. */
  readonly seq: number
  readonly reason: string
}

/** The code of a `PeerCallError` where the machine answers that nobody listens at that address. */
export const CONNECTION_REFUSED = 'CONNECTION_REFUSED'

export class PeerCallError extends Error {
  readonly address: string
  /** False: the request did not leave this node, so nothing happened. */
  readonly sent: boolean
  /** True: the peer answered, with an error of this `code`. */
  readonly answered: boolean
  constructor(
    readonly code: string,
    message: string,
    info: { address: string; sent: boolean; answered: boolean; cause?: unknown },
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'PeerCallError'
    this.address = info.address
    this.sent = info.sent
    this.answered = info.answered
  }
}

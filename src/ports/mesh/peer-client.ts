/** Room `mesh`: what nodes say to each other, and how they find each other. */

import type { Commit } from '../../domain/commit.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { EquivocationProof } from '../store/equivocation-repository.js'
import type { AuctionHead } from '../store/event-log.js'
import type { Consent, Refusal, SignedParcel, SubmitAnswer, SubmittedMandate } from './home-messages.js'
import type { Challenge, Goodbye, HelloAnswer, NodeProof, Ping, Pong } from './liveness-messages.js'
import type {
  DigestPart,
  HeadRange,
  PictureWant,
  PulledPage,
  PulledPicture,
  PullWant,
  StoredHead,
} from './sync-messages.js'

/**
 * Calls to one chosen peer by its address. A call either resolves with the peer's answer or rejects with a
 * `PeerCallError`; unless that says the request never left (`sent: false`) or that the peer refused it
 * (`answered: true`), its effect is unknown. Nothing is retried here.
 */
export interface PeerClient {
  hello(address: string, challenge: Challenge, options?: CallOptions): Promise<HelloAnswer>
  ping(address: string, ping: Ping, options?: CallOptions): Promise<Pong>
  /**
   * Has the peer at `address` put our challenge to `target` (a node id), where it knows that node, and pass the proof
   * on.
   */
  pingVia(address: string, target: string, challenge: Challenge, options?: CallOptions): Promise<NodeProof>
  /** This node leaves the mesh. */
  goodbye(address: string, goodbye: Goodbye, options?: CallOptions): Promise<void>
  /**
   * One result per command, in order; a mandate for each auction among them. Whether the home signed them is for the
   * caller to check.
   */
  submit(
    address: string,
    commands: readonly RemoteCommand[],
    mandates: readonly SubmittedMandate[],
    options?: CallOptions,
  ): Promise<SubmitAnswer>
  /** Resolves with how far the peer's copies of these auctions go now. */
  pushCommits(address: string, from: string, commits: readonly Commit[], options?: CallOptions): Promise<StoredHead[]>
  /** Once it resolves, the peer keeps the parcel durably; of the last one, holds the log up to its head as well. */
  passHandover(address: string, from: string, parcel: SignedParcel, options?: CallOptions): Promise<Consent | null>
  /**
   * The next commits of several auctions, as many as one answer holds: pages in the order of the wants, perhaps fewer
   * than there are wants, the last one perhaps cut short. What they are worth is for the caller to check.
   */
  pullCommits(address: string, wants: readonly PullWant[], options?: CallOptions): Promise<PulledPage[]>
  /** Null if the peer does not have it. What it is worth is for the caller to check, once it is whole. */
  pullPicture(address: string, want: PictureWant, options?: CallOptions): Promise<PulledPicture | null>
  /** A sum of all that the peer holds: equal parts mean equal heads, so that most comparisons end here. */
  digest(address: string, options?: CallOptions): Promise<DigestPart[]>
  /** Pages of the peer's heads in ascending order of auction id, of ids with this prefix. */
  heads(
    address: string,
    range: HeadRange,
    options?: CallOptions,
  ): Promise<{ heads: AuctionHead[]; next: string | null }>
  /** Reports to the home of an auction that this node refuses a commit of it. */
  reportRefusal(address: string, refusal: Refusal, options?: CallOptions): Promise<void>
  /** Reports a home that has signed two histories. Refused if the peer does not find it proven. */
  reportEquivocation(address: string, proof: EquivocationProof, options?: CallOptions): Promise<void>
  stop(): Promise<void>
}

export interface CallOptions {
  /** Milliseconds until the call is given up; the adapter's default otherwise. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  /** Of the requests that it is made for, one for each command of a submit: for the peer's log. */
  readonly requestIds?: readonly (string | null)[] | undefined
}

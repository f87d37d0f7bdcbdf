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

/** What a node serves to its peers: the other side of `PeerClient`. */
export interface PeerService {
  /** Proves who this node is, and names the other peers. Rejects with FORBIDDEN for a caller of another mesh. */
  hello(challenge: Challenge): Promise<HelloAnswer>
  /** Proves that this node is alive, and exchanges news. FORBIDDEN as above. */
  ping(ping: Ping, from: string): Promise<Pong>
  /** Puts the challenge to a peer in use here, for a caller that cannot reach it itself. Rejects with `NodeError`. */
  pingVia(target: string, challenge: Challenge, from: string): Promise<NodeProof>
  /** A peer leaves. Believed only with that peer's signature. */
  goodbye(goodbye: Goodbye): Promise<void>
  /**
   * Decides commands for auctions whose home is this node; one result per command, in order. FORBIDDEN without good
   * mandates.
   */
  submit(
    commands: readonly RemoteCommand[],
    mandates: readonly SubmittedMandate[],
    /** One for each command, for the log. */
    requestIds?: readonly (string | null)[] | undefined,
  ): Promise<SubmitAnswer>
  /** Takes in commits that the peer `from` has written or stored; checks them before it believes them. */
  pushCommits(from: string, commits: readonly Commit[]): Promise<StoredHead[]>
  /** Keeps what the home of an auction sends along before it hands the auction over to this node. */
  passHandover(from: string, parcel: SignedParcel): Promise<Consent | null>
  /** Up to a page of what is wanted, in the order of the wants; at least one commit of the first that has any. */
  pullCommits(wants: readonly PullWant[]): Promise<PulledPage[]>
  /** A piece of a picture that is here; none is fetched for it. Rejects with BUSY where `from` has had too many. */
  pullPicture(want: PictureWant, from: string): Promise<PulledPicture | null>
  digest(): Promise<DigestPart[]>
  /** A peer does not take what this node has written as a home. */
  reportRefusal(refusal: Refusal): Promise<void>
  /** Takes in a proof that a home has signed two histories, of whoever brings it; checks it before it believes it. */
  reportEquivocation(proof: EquivocationProof, from: string): Promise<void>
  heads(range: HeadRange): Promise<{ heads: AuctionHead[]; next: string | null }>
}

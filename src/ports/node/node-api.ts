/** Room `node`: what a node does for its own user: requests, answers, errors. */

import type { NewEnd } from '../../domain/commands.js'
import type { AmountInput, Minor } from '../../domain/money.js'
import type { EquivocationProof } from '../store/equivocation-repository.js'
import type { SignedReceipts } from '../store/receipt-repository.js'
import type {
  AuctionView,
  AuditLines,
  AutoBidView,
  CommandResult,
  FeedItem,
  HistoryPage,
  LogPage,
  Moving,
  TakenBack,
  TlogProof,
} from './node-answers.js'
import type { PeerView } from './node-info.js'
import type { PictureAdded, PicturePiece, PictureUpload } from './node-pictures.js'
import type {
  AuctionCommand,
  AuditRequest,
  BidRequest,
  EventsRequest,
  HistoryRequest,
  ListRequest,
  LogRequest,
  MaximaRequest,
  MovingRequest,
  OpenRequest,
  ReceiptsRequest,
  RecoveryRequest,
  ShowRequest,
  TlogProofRequest,
} from './node-requests.js'
import type { NodeStatus } from './node-status.js'

/**
 * What a node does for its own user: in the same process (the interactive client) and from elsewhere (the command line,
 * over RPC with the operator's token).
 *
 * `auction` in a request is an id or an unambiguous prefix of one, with or without `auc_`. Amounts in requests are
 * decimal text or JSON numbers in the auction's currency; in answers they are minor units beside their currency. Every
 * method rejects with `NodeError`. A rejection by a rule is an outcome, not an error. A command may be repeated with
 * the same `commandId`: it takes effect at most once, and the first outcome is returned. All that it asks for has to be
 * the same, as it was asked ("ends in 2 h"); otherwise it is refused with COMMAND_ID_REUSED.
 *
 * Whoever holds this has the operator's rights, and may speak for others with them: `as` in a request is the party on
 * whose behalf it is made (a gateway's account); the node's own user otherwise.
 */
export interface NodeApi extends NodeCommands, NodeQueries {}

/** What may change something. */
export interface NodeCommands {
  /**
   * Takes in a picture, a piece after the other, and keeps it for a day, or for good once an auction of this node names
   * it. What is about the image and no part of it is removed. The same file may be added again at any time.
   */
  addPicture(request: PictureUpload): Promise<PictureAdded>
  open(request: OpenRequest): Promise<CommandResult>
  bid(request: BidRequest): Promise<CommandResult>
  buyNow(request: AuctionCommand): Promise<CommandResult>
  /** Only the seller's node may close, cancel and extend. */
  close(request: AuctionCommand): Promise<CommandResult>
  cancel(request: AuctionCommand & { readonly reason?: string }): Promise<CommandResult>
  /** `closesAt`: the new end, UTC milliseconds; `addedMs`: so much later than it is when the home decides. */
  extend(request: AuctionCommand & NewEnd): Promise<CommandResult>

  /**
   * Makes another node the home of an auction of this one: `peer` is its name, its id or an unambiguous prefix of that.
   * Rejects where the auction did not move; it goes on here then.
   */
  handover(request: { readonly auction: string; readonly peer: string }): Promise<AuctionView>

  /**
   * Takes back from peers what this node has signed of an auction and lost, and goes on as its home. `withoutPeers`:
   * also where members that may hold more cannot be asked. Rejects where the auction is not held for that.
   */
  takeBack(request: RecoveryRequest): Promise<TakenBack>
  /** Ends an auction that this node holds, by an event that everybody sees: nobody wins. */
  giveUp(request: RecoveryRequest & { readonly reason?: string }): Promise<AuctionView>

  /** Sets (or changes the limit of) the auto-bid that bids for this user step by step. */
  autoBid(request: { readonly auction: string; readonly limit: AmountInput }): Promise<AutoBidView>
  stopAutoBid(request: { readonly auction: string }): Promise<AutoBidView>

  /** Asks the node to stop; resolves once it has agreed to. */
  stop(): Promise<void>
}

/** What only looks. */
export interface NodeQueries {
  status(): Promise<NodeStatus>
  peers(): Promise<PeerView[]>
  autoBids(): Promise<AutoBidView[]>

  list(request: ListRequest): Promise<{ auctions: AuctionView[]; next: string | null }>
  show(request: ShowRequest): Promise<AuctionView>
  /** Accepted bids, newest first; a page of them. */
  history(request: HistoryRequest): Promise<HistoryPage>
  /**
   * The next events past a cursor; waits up to `waitMs` for the first. No gap and no duplicate from one cursor to
   * the next.
   */
  events(request: EventsRequest): Promise<{ items: FeedItem[]; cursor: string }>

  /**
   * Auctions of a cluster whose commands from here wait for a home that answers. Waits up to `waitMs` where nothing has
   * changed since the version `after`.
   */
  moving(request: MovingRequest): Promise<Moving>

  /** An auction's commits as they are stored, from the one that holds `fromSeq` on; a page of them. */
  log(request: LogRequest): Promise<LogPage>

  /** That a commit stands in the auction's log, as the tools of transparency logs read it; signed by this node. */
  tlogProof(request: TlogProofRequest): Promise<TlogProof>

  /** A piece of a picture that an auction names, from this node or a peer that has it; checked by its hash. */
  picture(request: { readonly hash: string; readonly offset: number }): Promise<PicturePiece>

  /** The proof that an auction's home has signed two histories; null if there is none. */
  proof(request: { readonly auction: string }): Promise<EquivocationProof | null>
  /**
   * The most that each party may be charged for the live auction that it leads, in the order of the request: null if
   * it does not lead, or this node does not know. Only the party itself may ever be shown it.
   */
  maxima(request: MaximaRequest): Promise<(Minor | null)[]>

  /** Lines of this node's audit record, oldest first; a page of them. */
  audit(request: AuditRequest): Promise<AuditLines>

  /** What homes have signed for this node's user's own commands, in the order in which it came; a page of it. */
  receipts(request: ReceiptsRequest): Promise<{ signed: SignedReceipts[]; next: number | null }>
}

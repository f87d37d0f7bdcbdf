import { buyNowAvailable, minimumBid, type OpenedAuction } from '../../domain/auction.js'
import type { NewEnd, OpenAuction } from '../../domain/commands.js'
import type { Currency } from '../../domain/currency.js'
import { type AmountInput, formatMoney, type Minor } from '../../domain/money.js'
import { isNode, type Party } from '../../domain/party.js'
import type { Rejection } from '../../domain/rejection.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { Discovery } from '../../ports/mesh/discovery.js'
import type { NodeInfo, RemoteCommand, SubmitResult } from '../../ports/mesh/peer-client.js'
import {
  type AuctionCommand,
  type AuctionView,
  type AutoBidView,
  type BidRequest,
  type ClockDoubt,
  type CommandResult,
  type EventsRequest,
  type FeedItem,
  type HandshakeCounts,
  type HistoryPage,
  type HistoryRequest,
  type ListRequest,
  type LogPage,
  type LogRequest,
  NODE_ERROR_CODES,
  type NodeApi,
  NodeError,
  type NodeErrorCode,
  type NodeStatus,
  type OpenRequest,
  type PeerView,
  type ReceiptsRequest,
  type ShowRequest,
} from '../../ports/node/node-api.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { BreachRepository } from '../../ports/store/breach-repository.js'
import type { EquivocationProof, EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { ParticipationRepository } from '../../ports/store/participation-repository.js'
import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Signer } from '../../ports/system/signer.js'
import type { Timers } from '../../ports/system/timers.js'
import type { Budgets } from '../budgets/budgets.js'
import type { AutoBidder } from '../commands/auto-bidder.js'
import type { CommandRouter } from '../commands/command-router.js'
import type { ReceiptKeeper } from '../commands/receipt-keeper.js'
import { type HandoverGiver, mayMove } from '../handover/handover-giver.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { HomeClock } from '../home/home-clock.js'
import { amountOf, openTerms } from '../home/open-terms.js'
import { newSalt } from '../log/commitment.js'
import type { Feed } from '../log/feed.js'
import { readEndingCursor, readNewestCursor } from '../log/list-order.js'
import { timeText } from '../log/time-text.js'
import { reachablePeer } from '../mesh/peer-by-name.js'
import { type PeerTable, peerView } from '../mesh/peer-table.js'
import { openingFingerprint } from '../orders/home-command.js'
import type { SignatureMender } from '../proof/signature-mender.js'
import type { HeldAuctions } from '../replication/held-auctions.js'
import type { Syncer } from '../replication/syncer.js'
import { Lookups } from '../turns/lookups.js'
import type { AuctionViews } from './auction-view.js'
import { EventPager } from './event-pager.js'
import { explainRejection } from './explain-rejection.js'

export interface LocalNodeApiDeps {
  readonly auctionHouse: AuctionHouse
  readonly auctions: AuctionRepository
  readonly auctionViews: AuctionViews
  readonly autoBidder: AutoBidder
  readonly budgets: Pick<Budgets, 'status'>
  readonly clock: Clock
  readonly discovery: Discovery
  readonly breaches: BreachRepository
  readonly equivocations: EquivocationRepository
  readonly eventLog: EventLog
  readonly feed: Feed
  readonly handoverGiver: Pick<HandoverGiver, 'handOver'>
  readonly heldAuctions: Pick<HeldAuctions, 'list'>
  readonly homeClock: HomeClock
  readonly logger: Logger
  readonly members: MemberDirectory
  readonly participations: ParticipationRepository
  readonly peerTable: PeerTable
  readonly random: Random
  readonly receiptKeeper: Pick<ReceiptKeeper, 'flush'>
  readonly receipts: ReceiptRepository
  readonly router: CommandRouter
  readonly signatureMender: Pick<SignatureMender, 'mend'>
  readonly signer: Signer
  readonly syncer: Pick<Syncer, 'status'>
  readonly timers: Timers
}

export interface LocalNodeApiOptions {
  readonly self: Party
  readonly info: () => NodeInfo
  readonly dataDir: string
  readonly currencies: Readonly<Record<string, number>>
  readonly requestStop: () => void
  readonly handshakes: () => HandshakeCounts | null
}

/** Whom a command's answer is for, and how much it has to say. */
interface Answer {
  readonly as?: Party | undefined
  readonly brief?: boolean | undefined
}

interface Named {
  readonly auctionId: string
  readonly currency: Currency
}

type MakeCommand = (named: Named) => RemoteCommand

interface Submitted {
  readonly command: RemoteCommand
  readonly submitted: Promise<SubmitResult>
}

const MAX_CACHED_CURRENCIES = 10_000
const DEFAULT_PAGE = 50
/** Signed answers, each of a few hundred receipts at most. */
const RECEIPTS_PAGE = 10
/** JSON may double the bytes, and an answer holds 8 MiB. */
const LOG_PAGE = { commits: 256, bytes: 2 * 1024 * 1024 }

/** What this node does for its own user. */
export class LocalNodeApi implements NodeApi {
  readonly #deps: LocalNodeApiDeps
  readonly #options: LocalNodeApiOptions
  readonly #pager: EventPager
  /** By the auction's whole id. */
  readonly #currencies = new Map<string, Currency>()
  /** By id, or the start of one. */
  readonly #lookups = new Lookups((auction) => this.#biddable(auction))

  constructor(deps: LocalNodeApiDeps, options: LocalNodeApiOptions) {
    this.#deps = deps
    this.#options = options
    this.#pager = new EventPager(deps)
  }

  async status(): Promise<NodeStatus> {
    const { auctions, clock, discovery, members, peerTable } = this.#deps
    const node = this.#options.info()
    const counts = await auctions.counts()
    const ownLive = await auctions.liveOf(node.nodeId)
    const peers = { alive: 0, suspect: 0, dead: 0, left: 0 }
    for (const { state } of peerTable.all()) peers[state] += 1
    return {
      node,
      dataDir: this.#options.dataDir,
      grapeUrl: discovery.grapeUrl,
      grape: discovery.state,
      peers,
      auctions: counts.auctions,
      ownLive,
      bids: counts.bids,
      sync: this.#deps.syncer.status,
      mesh: { meshId: members.meshId, members: members.members().length, conflict: members.conflict },
      clockDoubt: this.#clockDoubt(),
      held: this.#deps.heldAuctions.list(),
      handshakes: this.#options.handshakes(),
      budgets: this.#deps.budgets.status(),
      uptimeMs: Math.max(0, clock.now() - node.incarnation),
      pid: process.pid,
    }
  }

  #clockDoubt(): ClockDoubt | null {
    const { auctionHouse, homeClock } = this.#deps
    const { doubt } = homeClock
    return doubt && { ...doubt, holds: auctionHouse.dueBy(homeClock.machineNow()) }
  }

  peers(): Promise<PeerView[]> {
    const peers = this.#deps.peerTable.all().map(peerView)
    return Promise.resolve(
      peers.sort((a, b) => a.name.localeCompare(b.name) || a.nodeId.localeCompare(b.nodeId)),
    )
  }

  async open(request: OpenRequest): Promise<CommandResult> {
    const { auctionHouse, homeClock, members, random, signer } = this.#deps
    const { currencies } = this.#options
    const { commandId, as, replicas } = request
    const seller = this.#speaker(as)
    const fingerprint = openingFingerprint(request, seller.id)
    const command = (): OpenAuction => {
      const now = homeClock.now()
      const { terms, reserve } = openTerms(request, { now, random, currencies })
      const home = { nodeId: this.#options.info().nodeId, publicKey: signer.publicKey }
      return { type: 'OpenAuction', commandId, now, meshId: members.meshId, seller, home, terms, reserve }
    }
    return this.#result(await auctionHouse.open({ commandId, fingerprint, command }, replicas), { as })
  }

  async bid(request: BidRequest): Promise<CommandResult> {
    const { commandId, kind, as, brief } = request
    const bidder = this.#speaker(as)
    const make = ({ auctionId, currency }: Named): RemoteCommand => {
      const amount = amountOf('amount', request.amount, currency)
      let command: RemoteCommand = { type: 'bid', auctionId, commandId, bidder, amount, kind: 'plain' }
      if (kind === 'max') command = { ...command, kind, salt: newSalt(this.#deps.random) }
      if (request.replicas !== undefined) command = { ...command, replicas: request.replicas }
      return command
    }
    const { command, submitted } = this.#submitNow(request, make) ?? (await this.#submit(request, make))
    const result = await submitted
    // A gateway's bid: nothing to look up for its answer.
    if (as && brief && result.ok) return { outcome: result.outcome, auction: null }
    return this.#bidding(command, result, { as, brief })
  }

  async buyNow(request: AuctionCommand): Promise<CommandResult> {
    const { commandId, as } = request
    const bidder = this.#speaker(as)
    const { command, submitted } = await this.#submit(request, ({ auctionId }) => {
      return { type: 'buy-now', auctionId, commandId, bidder, ...ackOf(request) }
    })
    return this.#bidding(command, await submitted, { as })
  }

  async close(request: AuctionCommand): Promise<CommandResult> {
    return this.#selling(request, (named) => ({ type: 'close', ...named }))
  }

  async cancel(request: AuctionCommand & { reason?: string }): Promise<CommandResult> {
    const { reason = '' } = request
    return this.#selling(request, (named) => ({ type: 'cancel', ...named, reason }))
  }

  async extend(request: AuctionCommand & NewEnd): Promise<CommandResult> {
    const end = 'addedMs' in request ? { addedMs: request.addedMs } : { closesAt: request.closesAt }
    return this.#selling(request, (named) => ({ type: 'extend', ...named, ...end }))
  }

  async #selling(
    request: AuctionCommand,
    make: (named: { auctionId: string; commandId: string; by: Party; replicas?: number }) => RemoteCommand,
  ): Promise<CommandResult> {
    const { commandId, as } = request
    const by = this.#speaker(as)
    const { command, submitted } = await this.#submit(request, ({ auctionId }) =>
      make({ auctionId, commandId, by, ...ackOf(request) }),
    )
    return this.#answered(command, await submitted, { as })
  }

  /** Null where the auction has to be looked up first, or one that came before is at it. */
  #submitNow({ auction, requestId, lane }: AuctionCommand, make: MakeCommand): Submitted | null {
    const currency = this.#currencies.get(auction)
    if (currency === undefined || !this.#lookups.idle(auction)) return null
    const command = make({ auctionId: auction, currency })
    return { command, submitted: this.#deps.router.submit(command, requestId, lane) }
  }

  /** In the order of the calls for the auction. */
  async #submit(request: AuctionCommand, make: MakeCommand): Promise<Submitted> {
    const { auction, requestId, lane } = request
    return (
      this.#submitNow(request, make) ??
      this.#lookups.run(auction, (named) => {
        const command = make(named)
        return { command, submitted: this.#deps.router.submit(command, requestId, lane) }
      })
    )
  }

  async handover({ auction, peer }: { auction: string; peer: string }): Promise<AuctionView> {
    const view = await this.show({ auction })
    mayMove(view)
    const to = reachablePeer(this.#deps, peer, this.#options.info())
    const result = await this.#deps.handoverGiver.handOver(view.auctionId, to)
    if (!result.ok) throw new NodeError(errorCode(result.code), result.message)
    return this.show({ auction: view.auctionId })
  }

  async autoBid(request: { auction: string; limit: AmountInput }): Promise<AutoBidView> {
    const record = await this.#deps.auctionViews.resolve(request.auction)
    const { auctionId, state } = record
    const limit = amountOf('limit', request.limit, state.terms.currency)
    const refuse = (message: string, next: string) =>
      new NodeError('INVALID_INPUT', message, { field: 'auction', next })
    if (state.seller.id === this.#options.self.id) {
      throw refuse('sellers do not bid on their own auction', 'let others bid')
    }
    if (state.status === 'closed' || state.status === 'cancelled') {
      throw refuse(`the auction is ${state.status}`, 'see `vendue list` for auctions that are open')
    }
    if (state.leader?.id !== this.#options.self.id) checkLimit(state, limit)
    const autoBid = await this.#deps.autoBidder.set(auctionId, limit)
    return { autoBid, auction: await this.#deps.auctionViews.view(record) }
  }

  async stopAutoBid(request: { auction: string }): Promise<AutoBidView> {
    const record = await this.#deps.auctionViews.resolve(request.auction)
    const autoBid = await this.#deps.autoBidder.cancel(record.auctionId)
    if (!autoBid) {
      throw new NodeError('INVALID_INPUT', 'nothing bids for you on this auction', {
        field: 'auction',
        next: 'see `vendue autobids` for your standing orders',
      })
    }
    return { autoBid, auction: await this.#deps.auctionViews.view(record) }
  }

  async autoBids(): Promise<AutoBidView[]> {
    const { autoBidder, auctions, auctionViews } = this.#deps
    const views: AutoBidView[] = []
    for (const autoBid of await autoBidder.list()) {
      const record = await auctions.find(autoBid.auctionId)
      if (record) views.push({ autoBid, auction: await auctionViews.view(record) })
    }
    return views
  }

  async list(request: ListRequest): Promise<{ auctions: AuctionView[]; next: string | null }> {
    const { statuses, text, cursor, seller, bidder, sort, as } = request
    checkList(request)
    const page = await this.#deps.auctions.list({
      limit: request.limit ?? DEFAULT_PAGE,
      now: this.#deps.homeClock.now(),
      ...(statuses && { statuses }),
      ...(text !== undefined && { text }),
      ...(cursor !== undefined && { cursor }),
      ...(seller !== undefined && { seller }),
      ...(bidder !== undefined && { bidder }),
      ...(sort !== undefined && { sort }),
    })
    return { auctions: await this.#deps.auctionViews.viewAll(page.auctions, as), next: page.next }
  }

  async show({ auction, as }: ShowRequest): Promise<AuctionView> {
    return this.#deps.auctionViews.view(await this.#deps.auctionViews.resolve(auction), as)
  }

  async history(request: HistoryRequest): Promise<HistoryPage> {
    const record = await this.#deps.auctionViews.resolve(request.auction)
    const { limit = DEFAULT_PAGE } = request
    // One more than is asked for shows whether there are more.
    const found = await this.#deps.auctions.bids(record.auctionId, request.beforeSeq ?? null, limit + 1)
    const bids = found.slice(0, limit)
    const next = found.length > limit ? (bids.at(-1)?.seq ?? null) : null
    return { auction: await this.#deps.auctionViews.view(record, request.as), bids, next }
  }

  events(request: EventsRequest): Promise<{ items: FeedItem[]; cursor: string }> {
    return this.#pager.next(request)
  }

  async log({ auction, fromSeq }: LogRequest): Promise<LogPage> {
    const { auctionId, head } = await this.#deps.auctionViews.resolve(auction)
    const stored = await this.#deps.eventLog.read(auctionId, fromSeq, LOG_PAGE)
    const whole = await this.#deps.signatureMender.mend(stored)
    return { auctionId, commits: whole.map(({ position: _, ...commit }) => commit), head }
  }

  async proof({ auction }: { auction: string }): Promise<EquivocationProof | null> {
    const { auctionId } = await this.#deps.auctionViews.resolve(auction)
    return this.#deps.equivocations.find(auctionId)
  }

  async receipts({
    auction,
    party,
    after = 0,
  }: ReceiptsRequest): Promise<{ signed: SignedReceipts[]; next: number | null }> {
    const auctionId =
      auction === undefined ? null : (await this.#deps.auctionViews.resolve(auction)).auctionId
    await this.#deps.receiptKeeper.flush()
    return this.#deps.receipts.list({ auctionId, partyId: party, after, limit: RECEIPTS_PAGE })
  }

  stop(): Promise<void> {
    this.#options.requestStop()
    return Promise.resolve()
  }

  /** Whom a command is for: this node's user, or an account that the caller speaks for; no other node's user. */
  #speaker(as: Party | undefined): Party {
    const { self } = this.#options
    if (as === undefined || !isNode(as) || as.id === self.id) return as ?? self
    throw new NodeError('FORBIDDEN', `${as.id} is another node, which speaks for its user itself`, {
      field: 'as',
      next: 'give the id of an account, or leave it out to act for this node',
    })
  }

  /** What a bid needs to know of its auction never changes: most bids read nothing for it. */
  async #biddable(reference: string): Promise<Named> {
    const { auctionId, state } = await this.#deps.auctionViews.resolve(reference)
    const { currency } = state.terms
    if (this.#currencies.size >= MAX_CACHED_CURRENCIES) this.#currencies.clear()
    this.#currencies.set(auctionId, currency)
    return { auctionId, currency }
  }

  async #bidding(command: RemoteCommand, result: SubmitResult, answer: Answer): Promise<CommandResult> {
    const answered = await this.#answered(command, result, answer)
    // Bids of others are found by their bidder; only this node's user needs a note of its own.
    if (!answer.as && answered.outcome.status === 'accepted') await this.#noteParticipation(command.auctionId)
    return answered
  }

  /** The bid stands: that this node's own disk is full must not be the answer to it. */
  async #noteParticipation(auctionId: string): Promise<void> {
    await this.#deps.participations.add(auctionId).catch((error: unknown) => {
      this.#deps.logger.warn({ auctionId, err: error }, 'that this node takes part could not be noted')
    })
  }

  async #answered(command: RemoteCommand, result: SubmitResult, answer: Answer): Promise<CommandResult> {
    if (!result.ok && result.code === 'HOME_UNREACHABLE')
      throw await this.#homeUnreachable(command.auctionId, result.message)
    return this.#result(result, answer)
  }

  async #result(result: SubmitResult, { as, brief }: Answer): Promise<CommandResult> {
    if (!result.ok) throw nodeError(result)
    const { outcome } = result
    const { auctionId } = outcome
    return { outcome, auction: auctionId && !brief ? await this.#seenAfter(auctionId, as) : null }
  }

  /** The command has its outcome: that the auction cannot be read here must not be the answer to it. */
  async #seenAfter(auctionId: string, as: Party | undefined): Promise<AuctionView | null> {
    try {
      const record = await this.#deps.auctions.find(auctionId)
      return record && (await this.#deps.auctionViews.view(record, as))
    } catch (error) {
      this.#deps.logger.warn({ auctionId, err: error }, 'the auction could not be read after a command')
      return null
    }
  }

  async #homeUnreachable(auctionId: string, message: string): Promise<NodeError> {
    const { homeName, state } = await this.show({ auction: auctionId })
    const peer = this.#deps.peerTable.get(state.home.nodeId)
    const since = peer ? `, last seen ${timeText(peer.lastSeenAt)}` : ''
    const who = ` (${homeName ?? state.home.nodeId}${since})`
    return new NodeError('HOME_UNREACHABLE', `${message}${who}`, {
      next: 'try again when it is back: the auction waits for it with nothing lost; reading goes on meanwhile',
    })
  }
}

function checkList({ seller, bidder, sort = 'newest', cursor }: ListRequest): void {
  const place = sort === 'ending' ? readEndingCursor : readNewestCursor
  if (cursor !== undefined && place(cursor) === null)
    throw new NodeError(
      'INVALID_INPUT',
      `cursor "${cursor.slice(0, 60)}" is not one of a list sorted by ${sort}`,
      { field: 'cursor', next: 'give the `next` of a page of the same list, or leave it out to start anew' },
    )
  const filters = [seller !== undefined, bidder !== undefined, sort === 'ending']
  if (filters.filter(Boolean).length < 2) return
  throw new NodeError('INVALID_INPUT', 'seller, bidder and the order by end exclude each other', {
    field: sort === 'ending' ? 'sort' : 'bidder',
    next: 'give one of them',
  })
}

/** An order that could never bid is refused; one that others have outbid already is not: it says so itself. */
function checkLimit(state: OpenedAuction, limit: Minor): void {
  const { terms, price } = state
  const money = (minor: Minor) => formatMoney(minor, terms.currency)
  const minimum = minimumBid(state)
  if (minimum === null) {
    const rejection: Rejection = buyNowAvailable(state)
      ? { code: 'BUY_NOW_AVAILABLE', buyNow: terms.buyNow ?? 0, minimum }
      : { code: 'BID_TOO_LOW', minimum, price }
    const { message, next } = explainRejection(rejection, terms)
    throw new NodeError('INVALID_INPUT', message, { field: 'auction', next })
  }
  if (price !== null || limit >= minimum) return
  throw new NodeError(
    'INVALID_INPUT',
    `limit ${money(limit)} is below ${money(minimum)}, where bidding starts`,
    {
      field: 'limit',
      next: `give ${money(minimum)} or more`,
    },
  )
}

function errorCode(code: string): NodeErrorCode {
  return (NODE_ERROR_CODES as readonly string[]).includes(code) ? (code as NodeErrorCode) : 'INTERNAL'
}

function nodeError({ code, message }: Extract<SubmitResult, { ok: false }>): NodeError {
  const next = NEXT[errorCode(code)]
  return new NodeError(errorCode(code), message, next === undefined ? {} : { next })
}

const NEXT: Partial<Record<NodeErrorCode, string>> = {
  TOO_FEW_REPLICAS: 'ask for fewer, or see `vendue peers` for who is away',
  ORDER_OUT_OF_TIME: 'set the clock of this machine; if it is right, the home has to set its own',
}

function ackOf({ replicas }: { readonly replicas?: number }): { replicas?: number } {
  return replicas === undefined ? {} : { replicas }
}

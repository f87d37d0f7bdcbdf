import type { Commit } from '../../domain/commit.js'
import type { Minor } from '../../domain/money.js'
import type { AuditReader } from '../../ports/audit/audit-store.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import type { Discovery } from '../../ports/mesh/discovery.js'
import type { ClusterStatus } from '../../ports/node/cluster-status.js'
import type {
  AuctionView,
  AuditLines,
  AutoBidView,
  FeedItem,
  HistoryPage,
  LogPage,
  Moving,
  TlogProof,
} from '../../ports/node/node-answers.js'
import type { NodeQueries } from '../../ports/node/node-api.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo, PeerView } from '../../ports/node/node-info.js'
import type { PicturePiece } from '../../ports/node/node-pictures.js'
import type {
  AuditRequest,
  EventsRequest,
  HistoryRequest,
  ListRequest,
  LogRequest,
  MaximaRequest,
  MovingRequest,
  ReceiptsRequest,
  ShowRequest,
  TlogProofRequest,
} from '../../ports/node/node-requests.js'
import type { ClockDoubt, HandshakeCounts, NodeStatus } from '../../ports/node/node-status.js'
import type { AuctionRepository, SecretRepository } from '../../ports/store/auction-repository.js'
import type { ConsumerStatus } from '../../ports/store/consumer-status.js'
import type { EquivocationProof, EquivocationRepository } from '../../ports/store/equivocation-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Signer } from '../../ports/system/signer.js'
import { queryAudit } from '../audit/query-audit.js'
import type { Budgets } from '../budgets/budgets.js'
import type { AutoBidder } from '../commands/auto-bidder.js'
import type { MovingAuctions } from '../commands/moving-auctions.js'
import type { ReceiptKeeper } from '../commands/receipt-keeper.js'
import type { AuctionHouse } from '../home/auction-house.js'
import type { FirstComparison } from '../home/first-comparison.js'
import type { HomeClock } from '../home/home-clock.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { readEndingCursor, readNewestCursor } from '../log/list-order.js'
import { type PeerTable, peerView } from '../mesh/peer-table.js'
import type { Pictures } from '../pictures/pictures.js'
import type { ReceiptWatch } from '../proof/receipt-watch.js'
import type { SignatureMender } from '../proof/signature-mender.js'
import { tlogProof } from '../proof/tlog-proof.js'
import type { Syncer } from '../replication/syncer.js'
import type { AuctionViews } from './auction-view.js'
import { EventPager, type EventPagerDeps } from './event-pager.js'

export interface LocalNodeQueriesDeps extends EventPagerDeps {
  readonly auctionHouse: Pick<AuctionHouse, 'dueBy'>
  readonly auctions: AuctionRepository
  readonly auctionViews: AuctionViews
  readonly autoBidder: Pick<AutoBidder, 'list'>
  readonly auditReader: Pick<AuditReader, 'rows'>
  readonly budgets: Pick<Budgets, 'status'>
  readonly clock: Clock
  readonly discovery: Pick<Discovery, 'grapeUrl' | 'state'>
  readonly equivocations: EquivocationRepository
  readonly eventLog: EventLog
  readonly firstComparison: Pick<FirstComparison, 'wait'>
  readonly heldAuctions: Pick<HeldAuctions, 'list'>
  readonly homeClock: HomeClock
  readonly members: MemberDirectory
  readonly movingAuctions: Pick<MovingAuctions, 'next'>
  readonly peerTable: PeerTable
  readonly pictures: Pick<Pictures, 'piece' | 'usage'>
  readonly receiptKeeper: Pick<ReceiptKeeper, 'flush'>
  readonly receipts: ReceiptRepository
  readonly receiptWatch: Pick<ReceiptWatch, 'mostOf'>
  readonly secrets: Pick<SecretRepository, 'secrets'>
  readonly signer: Signer
  readonly signatureMender: Pick<SignatureMender, 'mend'>
  readonly syncer: Pick<Syncer, 'status'>
}

export interface LocalNodeQueriesOptions {
  readonly info: () => NodeInfo
  readonly dataDir: string
  readonly handshakes: () => HandshakeCounts | null
  /** Null for a node that belongs to none. */
  readonly cluster: () => ClusterStatus | null
  readonly consumers: () => readonly ConsumerStatus[]
}

const DEFAULT_PAGE = 50
/** Signed answers, each of a few hundred receipts at most. */
const RECEIPTS_PAGE = 10
/** JSON may double the bytes, and an answer holds 8 MiB. */
const LOG_PAGE = { commits: 256, bytes: 2 * 1024 * 1024 }

/** What this node's user can look at: this node itself, and its copies of all auctions. */
export class LocalNodeQueries implements NodeQueries {
  readonly #deps: LocalNodeQueriesDeps
  readonly #options: LocalNodeQueriesOptions
  readonly #pager: EventPager

  constructor(deps: LocalNodeQueriesDeps, options: LocalNodeQueriesOptions) {
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
      mesh: {
        meshId: members.meshId,
        authority: members.authority,
        members: members.members().length,
        conflict: members.conflict,
      },
      clockDoubt: this.#clockDoubt(),
      held: this.#deps.heldAuctions.list(),
      peerWait: this.#deps.firstComparison.wait,
      peerChanges: peerTable.turns,
      handshakes: this.#options.handshakes(),
      budgets: this.#deps.budgets.status(),
      pictures: this.#deps.pictures.usage,
      cluster: this.#options.cluster(),
      consumers: this.#options.consumers(),
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
    return Promise.resolve(peers.sort((a, b) => a.name.localeCompare(b.name) || a.nodeId.localeCompare(b.nodeId)))
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

  maxima({ of }: MaximaRequest): Promise<(Minor | null)[]> {
    return Promise.all(of.map(({ auction, party }) => this.#maximum(auction, party)))
  }

  async #maximum(auction: string, party: string): Promise<Minor | null> {
    const { auctions, auctionViews, receiptWatch, secrets } = this.#deps
    const { auctionId, head, state } = await auctionViews.resolve(auction)
    const isLive = state.status === 'open' || state.status === 'scheduled'
    if (!isLive || state.leader?.id !== party || state.leadingBidId === null) return null
    if (state.home.nodeId !== this.#options.info().nodeId) return receiptWatch.mostOf(auctionId, state.leadingBidId)
    const kept = await secrets.secrets(auctionId)
    // Somebody else may lead by now, whose maximum that would be.
    const after = await auctions.find(auctionId)
    return after?.head.hash === head.hash ? (kept?.leaderMax ?? null) : null
  }

  moving(request: MovingRequest): Promise<Moving> {
    return this.#deps.movingAuctions.next(request)
  }

  async log({ auction, fromSeq }: LogRequest): Promise<LogPage> {
    const { auctionId, head } = await this.#deps.auctionViews.resolve(auction)
    const stored = await this.#deps.eventLog.read(auctionId, fromSeq, LOG_PAGE)
    const whole = await this.#deps.signatureMender.mend(stored)
    return { auctionId, commits: whole.map(({ position: _, ...commit }) => commit), head }
  }

  async tlogProof({ auction, seq: asked }: TlogProofRequest): Promise<TlogProof> {
    const { auctionId, head } = await this.#deps.auctionViews.resolve(auction)
    const seq = asked ?? head.seq
    if (seq > head.seq)
      throw new NodeError('INVALID_INPUT', `the log of ${auctionId} ends at event ${head.seq}`, {
        field: 'seq',
        next: `give the number of an event, 1 to ${head.seq}`,
      })
    return tlogProof(this.#commits(auctionId, head.seq), { auctionId, seq }, this.#deps.signer)
  }

  async *#commits(auctionId: string, lastSeq: number): AsyncGenerator<Commit, void, undefined> {
    for (let fromSeq = 1; fromSeq <= lastSeq; ) {
      const page = await this.#deps.eventLog.read(auctionId, fromSeq, LOG_PAGE)
      if (page.length === 0) throw new Error(`the log of ${auctionId} ends before its head, at event ${fromSeq}`)
      for (const commit of page) {
        if (commit.firstSeq > lastSeq) return
        yield commit
        fromSeq = commit.lastSeq + 1
      }
    }
  }

  picture({ hash, offset }: { readonly hash: string; readonly offset: number }): Promise<PicturePiece> {
    return this.#deps.pictures.piece(hash, offset)
  }

  async proof({ auction }: { auction: string }): Promise<EquivocationProof | null> {
    const { auctionId } = await this.#deps.auctionViews.resolve(auction)
    return this.#deps.equivocations.find(auctionId)
  }

  async audit({ auction, ...request }: AuditRequest): Promise<AuditLines> {
    const { auctionViews, auditReader } = this.#deps
    const named = auction === undefined ? {} : { auction: (await auctionViews.resolve(auction)).auctionId }
    return queryAudit(auditReader, { ...request, ...named })
  }

  async receipts({
    auction,
    party,
    after = 0,
  }: ReceiptsRequest): Promise<{ signed: SignedReceipts[]; next: number | null }> {
    const auctionId = auction === undefined ? null : (await this.#deps.auctionViews.resolve(auction)).auctionId
    await this.#deps.receiptKeeper.flush()
    return this.#deps.receipts.list({ auctionId, partyId: party, after, limit: RECEIPTS_PAGE })
  }
}

function checkList({ seller, bidder, sort = 'newest', cursor }: ListRequest): void {
  const place = sort === 'ending' ? readEndingCursor : readNewestCursor
  if (cursor !== undefined && place(cursor) === null)
    throw new NodeError('INVALID_INPUT', `cursor "${cursor.slice(0, 60)}" is not one of a list sorted by ${sort}`, {
      field: 'cursor',
      next: 'give the `next` of a page of the same list, or leave it out to start anew',
    })
  const filters = [seller !== undefined, bidder !== undefined, sort === 'ending']
  if (filters.filter(Boolean).length < 2) return
  throw new NodeError('INVALID_INPUT', 'seller, bidder and the order by end exclude each other', {
    field: sort === 'ending' ? 'sort' : 'bidder',
    next: 'give one of them',
  })
}

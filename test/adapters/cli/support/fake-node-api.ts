import { buyNowAvailable, minimumBid, phaseAt } from '../../../../src/domain/auction.js'
import type { Command, NewEnd } from '../../../../src/domain/commands.js'
import type { Commit } from '../../../../src/domain/commit.js'
import { findCurrency } from '../../../../src/domain/currency.js'
import { defaultIncrements, flatIncrement } from '../../../../src/domain/increments.js'
import { type AmountInput, type Minor, parseAmount } from '../../../../src/domain/money.js'
import type { Party } from '../../../../src/domain/party.js'
import { cleanPicture } from '../../../../src/domain/pictures/clean-picture.js'
import type { PictureType } from '../../../../src/domain/pictures/picture.js'
import type { ClusterStatus } from '../../../../src/ports/node/cluster-status.js'
import type {
  AuctionView,
  AuditEntry,
  AuditLines,
  AutoBidView,
  CommandResult,
  FeedItem,
  LogPage,
  Moving,
  TakenBack,
  TlogProof,
} from '../../../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../../../src/ports/node/node-api.js'
import { NodeError } from '../../../../src/ports/node/node-error.js'
import type { NodeInfo, PeerView } from '../../../../src/ports/node/node-info.js'
import type { PictureAdded, PicturePiece, PictureUpload } from '../../../../src/ports/node/node-pictures.js'
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
  TlogProofRequest,
} from '../../../../src/ports/node/node-requests.js'
import type { NodeStatus, SyncStatus } from '../../../../src/ports/node/node-status.js'
import type { AutoBid } from '../../../../src/ports/store/auto-bid-repository.js'
import type { EquivocationProof } from '../../../../src/ports/store/equivocation-repository.js'
import type { SignedReceipts } from '../../../../src/ports/store/receipt-repository.js'
import { AuctionScenario, commitmentTo, saltOf, T0, termsWith } from '../../../support/auction-scenario.js'
import { TEST_MESH } from '../../../support/memory-members.js'

export const SELF: Party = { id: 'node_self', name: 'alice' }
export const INFO: NodeInfo = {
  nodeId: SELF.id,
  name: SELF.name,
  publicKey: 'key',
  version: '1.2.3',
  address: '127.0.0.1:7000',
  dhtAddress: '127.0.0.1:20001',
  incarnation: T0,
}

const IDS = ['auc_7k2m0000000000000000000000', 'auc_7k2n0000000000000000000000', 'auc_9xyz0000000000000000000000']

/** A node whose auctions live in memory and follow the real rules, with failures to order. */
export class FakeNodeApi implements NodeApi {
  readonly calls: { method: keyof NodeApi; request: unknown }[] = []
  /** The next call of a method fails with this. */
  readonly failures = new Map<keyof NodeApi, Error>()
  readonly items: FeedItem[] = []
  readonly autoBidsById = new Map<string, AutoBid>()
  peerList: PeerView[] = []
  /** By auction. */
  readonly proofs = new Map<string, EquivocationProof>()
  signed: SignedReceipts[] = []
  auditLines: AuditEntry[] = []
  /** Commits of an auction beside the others, which have none. */
  commits: Commit[] = []
  sync: SyncStatus = {
    state: 'synced',
    since: T0,
    done: 12,
    total: 12,
    eventsPerSecond: 0,
    msLeft: null,
    refused: 0,
    refusedAuctions: [],
    doubtedAuctions: [],
  }
  cluster: ClusterStatus | null = null
  /** Of auctions that are opened from now on. */
  clusterKey: string | null = null
  now = T0
  stopped = false
  readonly #auctions = new Map<string, AuctionScenario>()
  #wake: () => void = () => {}

  status(): Promise<NodeStatus> {
    return this.#answer('status', {}, () => ({
      node: INFO,
      dataDir: '/data/alice',
      grapeUrl: 'http://127.0.0.1:30001',
      grape: 'connected',
      peers: { alive: 2, suspect: 0, dead: 1, left: 0 },
      auctions: { scheduled: 0, open: this.#auctions.size, closed: 0, cancelled: 0 },
      ownLive: [...this.#auctions].filter(([id, scenario]) => isOwnLive(this.#view(id, scenario))).length,
      bids: 3,
      sync: this.sync,
      mesh: { meshId: `mesh_${'0'.repeat(26)}`, authority: null, members: 4, conflict: null },
      clockDoubt: null,
      held: [],
      peerWait: null,
      peerChanges: [],
      handshakes: { accepted: 3, dialled: 2, refused: 1, dropped: 0 },
      budgets: [],
      pictures: { ownBytes: 0, ownLimit: 1, copyBytes: 0, copyLimit: 1 },
      cluster: this.cluster,
      consumers: [],
      uptimeMs: 65_000,
      pid: 42,
    }))
  }

  peers(): Promise<PeerView[]> {
    return this.#answer('peers', {}, () => this.peerList)
  }

  /** Everything that was added, as it came. */
  readonly pictures = new Map<string, { bytes: Buffer; type: PictureType }>()

  addPicture(request: PictureUpload): Promise<PictureAdded> {
    return this.#answer('addPicture', request, () => {
      const { hash, offset, piece } = request
      const before = offset === 0 ? Buffer.alloc(0) : (this.pictures.get(hash)?.bytes ?? Buffer.alloc(0))
      const bytes = Buffer.concat([before, Buffer.from(piece, 'base64')])
      const cleaned = cleanPicture(bytes)
      const type = cleaned.ok ? cleaned.picture.type : 'image/png'
      this.pictures.set(hash, { bytes, type })
      if (bytes.length < request.bytes || !cleaned.ok) return { picture: null, next: bytes.length }
      const { width, height, removed } = cleaned.picture
      return { picture: { hash, bytes: bytes.length, type, width, height, removed }, next: bytes.length }
    })
  }

  picture(request: { hash: string; offset: number }): Promise<PicturePiece> {
    return this.#answer('picture', request, () => {
      const found = this.pictures.get(request.hash)
      if (!found)
        throw new NodeError('PICTURE_NOT_FOUND', `there is no picture ${request.hash} here`, {
          field: 'hash',
        })
      const piece = found.bytes.subarray(request.offset).toString('base64')
      return { bytes: found.bytes.length, type: found.type, piece, next: null }
    })
  }

  open(request: OpenRequest): Promise<CommandResult> {
    return this.#answer('open', request, () => this.openAs(SELF, request))
  }

  /** An auction of anybody's. */
  openAs(seller: Party, request: Omit<OpenRequest, 'commandId'> & { commandId?: string }): CommandResult {
    const currency = findCurrency(request.currency)
    if (!currency)
      throw new NodeError('INVALID_INPUT', `currency "${request.currency}" is not known`, {
        field: 'currency',
      })
    const auctionId = IDS[this.#auctions.size] ?? ''
    const amount = (text: AmountInput) => amountOf('start', text, currency)
    const scenario = new AuctionScenario()
    const { commandId = 'cmd_opened_elsewhere' } = request
    const reserve = request.reserve === undefined ? null : { amount: amount(request.reserve), salt: saltOf('reserve') }
    return this.#decide(auctionId, scenario, commandId, {
      type: 'OpenAuction',
      commandId,
      now: this.now,
      meshId: TEST_MESH,
      seller,
      home: { nodeId: seller.id, publicKey: 'key' },
      cluster: this.clusterKey,
      reserve,
      terms: termsWith({
        title: request.title,
        description: request.description ?? '',
        pictures: (request.pictures ?? []).map(({ hash, alt = '' }) => {
          const cleaned = cleanPicture(this.pictures.get(hash)?.bytes ?? Buffer.alloc(0))
          if (!cleaned.ok) throw new NodeError('PICTURE_NOT_FOUND', `there is no picture ${hash} here`)
          const { bytes, type, width, height } = cleaned.picture
          return { hash, bytes: bytes.length, type, width, height, alt }
        }),
        currency,
        startPrice: amount(request.start),
        reserveCommitment: reserve && commitmentTo('reserve', reserve.amount),
        increments: request.increment
          ? flatIncrement(amount(request.increment))
          : defaultIncrements(currency, amount(request.start)),
        buyNow: request.buyNow === undefined ? null : amount(request.buyNow),
        opensAt: request.opensInMs === undefined ? (request.opensAt ?? null) : this.now + request.opensInMs,
        closesAt: request.closesAt ?? (request.closesInMs === undefined ? null : this.now + request.closesInMs),
        softClose: request.softClose ? { ...request.softClose, hardStopAt: request.hardStopAt ?? null } : null,
      }),
    })
  }

  handover(request: { auction: string; peer: string }): Promise<AuctionView> {
    return this.#answer('handover', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const to = { nodeId: `node_${request.peer}`, publicKey: 'key' }
      scenario.send({ type: 'HandOver', now: this.now, to, cluster: null, consent: 'agreed' })
      return this.#view(auctionId, scenario)
    })
  }

  takenBack: Partial<TakenBack> = {}

  takeBack(request: RecoveryRequest): Promise<TakenBack> {
    return this.#answer('takeBack', request, () => ({
      auctionId: this.#find(request.auction)[0],
      fromSeq: 3,
      untilSeq: 7,
      peers: ['bob'],
      absent: [],
      lost: { reserve: false, maxima: 0, maximaOf: [], leading: false },
      isHeld: false,
      ...this.takenBack,
    }))
  }

  giveUp(request: RecoveryRequest & { reason?: string }): Promise<AuctionView> {
    return this.#answer('giveUp', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      scenario.send({ type: 'GiveUp', now: this.now, reason: request.reason ?? '' })
      return this.#view(auctionId, scenario)
    })
  }

  bid(request: BidRequest): Promise<CommandResult> {
    return this.#answer('bid', request, async () => {
      await this.held
      return this.bidAs(SELF, request)
    })
  }

  /** Anybody's bid. */
  bidAs(bidder: Party, request: BidRequest): CommandResult {
    const [auctionId, scenario] = this.#find(request.auction)
    const { commandId: bidId, kind } = request
    const amount = amountOf('amount', request.amount, scenario.auction.terms.currency)
    const offer =
      kind === 'plain'
        ? ({ kind, amount } as const)
        : ({ kind, amount, salt: saltOf(bidId), commitment: commitmentTo(bidId, amount) } as const)
    return this.#decide(auctionId, scenario, bidId, { type: 'PlaceBid', bidId, now: this.now, bidder, offer })
  }

  buyNow(request: AuctionCommand): Promise<CommandResult> {
    return this.#answer('buyNow', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const { commandId: bidId } = request
      return this.#decide(auctionId, scenario, bidId, { type: 'BuyNow', commandId: bidId, now: this.now, bidder: SELF })
    })
  }

  close(request: AuctionCommand): Promise<CommandResult> {
    return this.#answer('close', request, () => this.closeAs(SELF, request))
  }

  closeAs(by: Party, { auction, commandId }: AuctionCommand): CommandResult {
    const [auctionId, scenario] = this.#find(auction)
    return this.#decide(auctionId, scenario, commandId, {
      type: 'CloseAuction',
      commandId,
      now: this.now,
      by,
    })
  }

  cancel(request: AuctionCommand & { reason?: string }): Promise<CommandResult> {
    return this.#answer('cancel', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const { commandId, reason = '' } = request
      const command = { type: 'CancelAuction', commandId, now: this.now, by: SELF, reason } as const
      return this.#decide(auctionId, scenario, commandId, command)
    })
  }

  extend(request: AuctionCommand & NewEnd): Promise<CommandResult> {
    return this.#answer('extend', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const { commandId } = request
      const end = 'addedMs' in request ? { addedMs: request.addedMs } : { closesAt: request.closesAt }
      const command = { type: 'ExtendAuction', commandId, now: this.now, by: SELF, ...end } as const
      return this.#decide(auctionId, scenario, commandId, command)
    })
  }

  autoBid(request: { auction: string; limit: string }): Promise<AutoBidView> {
    return this.#answer('autoBid', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const limit = amountOf('limit', request.limit, scenario.auction.terms.currency)
      const autoBid: AutoBid = {
        auctionId,
        limit,
        state: 'active',
        refusal: null,
        pending: null,
        updatedAt: this.now,
      }
      this.autoBidsById.set(auctionId, autoBid)
      return { autoBid, auction: this.#view(auctionId, scenario) }
    })
  }

  stopAutoBid(request: { auction: string }): Promise<AutoBidView> {
    return this.#answer('stopAutoBid', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const autoBid = this.autoBidsById.get(auctionId)
      if (!autoBid) throw new NodeError('INVALID_INPUT', 'nothing bids for you on this auction', { field: 'auction' })
      return { autoBid: { ...autoBid, state: 'stopped' }, auction: this.#view(auctionId, scenario) }
    })
  }

  autoBids(): Promise<AutoBidView[]> {
    return this.#answer('autoBids', {}, () =>
      [...this.autoBidsById.values()].map((autoBid) => ({
        autoBid,
        auction: this.#view(...this.#find(autoBid.auctionId)),
      })),
    )
  }

  list(request: ListRequest): Promise<{ auctions: AuctionView[]; next: string | null }> {
    return this.#answer('list', request, () => {
      const all = [...this.#auctions].reverse().map(([id, scenario]) => this.#view(id, scenario))
      const from = request.cursor === undefined ? 0 : all.findIndex((view) => view.auctionId === request.cursor) + 1
      const { statuses, text } = request
      const chosen = all
        .slice(from)
        .filter(({ state }) => statuses?.includes(phaseAt(state, this.now)) ?? true)
        .filter(({ state }) => text === undefined || state.terms.title.toLowerCase().includes(text.toLowerCase()))
      const page = chosen.slice(0, request.limit ?? 50)
      return { auctions: page, next: page.length < chosen.length ? (page.at(-1)?.auctionId ?? null) : null }
    })
  }

  show(request: { auction: string }): Promise<AuctionView> {
    return this.#answer('show', request, () => this.#view(...this.#find(request.auction)))
  }

  history(request: HistoryRequest) {
    return this.#answer('history', request, () => {
      const [auctionId, scenario] = this.#find(request.auction)
      const bids = scenario.events.flatMap((event, i) =>
        event.type === 'BidPlaced'
          ? [
              {
                auctionId,
                seq: i + 1,
                at: event.at,
                bidId: event.bidId,
                bidder: event.bidder,
                kind: event.amount === null ? ('max' as const) : ('plain' as const),
                amount: event.amount,
                price: event.price,
                leads: event.leads,
              },
            ]
          : [],
      )
      const found = bids.reverse().filter(({ seq }) => seq < (request.beforeSeq ?? Number.POSITIVE_INFINITY))
      const page = found.slice(0, request.limit ?? 50)
      const next = found.length > page.length ? (page.at(-1)?.seq ?? null) : null
      return { auction: this.#view(auctionId, scenario), bids: page, next }
    })
  }

  /** Cursors are positions in `items`. */
  events(request: EventsRequest): Promise<{ items: FeedItem[]; cursor: string }> {
    return this.#answer('events', request, async () => {
      const only = request.auction === undefined ? null : this.#find(request.auction)[0]
      const start =
        request.cursor === undefined ? (request.fromSeq === undefined ? this.items.length : 0) : Number(request.cursor)
      if (this.items.length === start && request.waitMs > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, request.waitMs)
          timer.unref()
          this.#wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      const items = this.items
        .slice(start)
        .filter(({ auctionId, seq }) => (only === null || auctionId === only) && seq >= (request.fromSeq ?? 0))
      return { items, cursor: String(this.items.length) }
    })
  }

  #moving: Moving = { version: 1, auctions: [] }
  setMoving(auctions: Moving['auctions']): void {
    this.#moving = { version: this.#moving.version + 1, auctions }
  }
  /** Bids wait for it. */
  held: Promise<unknown> = Promise.resolve()
  maxima(request: MaximaRequest): Promise<(Minor | null)[]> {
    return this.#answer('maxima', request, () => request.of.map(() => null))
  }

  moving(request: MovingRequest): Promise<Moving> {
    return this.#answer('moving', request, () => this.#moving)
  }

  log({ auction, fromSeq }: LogRequest): Promise<LogPage> {
    return this.#answer('log', { auction, fromSeq }, () => {
      const [first, last] = [this.commits[0], this.commits.at(-1)]
      if (!first || !last) throw new NodeError('AUCTION_NOT_FOUND', 'no such auction', { field: 'auction' })
      const commits = this.commits.filter(({ lastSeq }) => lastSeq >= fromSeq).slice(0, 3)
      return { auctionId: first.auctionId, commits, head: { seq: last.lastSeq, hash: last.hash } }
    })
  }

  tlogProof(request: TlogProofRequest): Promise<TlogProof> {
    return this.#answer('tlogProof', request, () => ({ proof: 'proof\n', verifierKey: 'key', index: 0, size: 1 }))
  }

  proof({ auction }: { auction: string }): Promise<EquivocationProof | null> {
    return this.#answer('proof', { auction }, () => this.proofs.get(auction) ?? null)
  }

  audit(request: AuditRequest): Promise<AuditLines> {
    return this.#answer('audit', request, () => ({ lines: this.auditLines, next: null, seq: this.auditLines.length }))
  }

  receipts(request: ReceiptsRequest): Promise<{ signed: SignedReceipts[]; next: number | null }> {
    return this.#answer('receipts', request, () => {
      const { after = 0 } = request
      return {
        signed: this.signed.slice(after, after + 1),
        next: after + 1 < this.signed.length ? after + 1 : null,
      }
    })
  }

  stop(): Promise<void> {
    return this.#answer('stop', {}, () => {
      this.stopped = true
    })
  }

  async #answer<T>(method: keyof NodeApi, request: unknown, make: () => T | Promise<T>): Promise<T> {
    this.calls.push({ method, request })
    const failure = this.failures.get(method)
    this.failures.delete(method)
    if (failure) throw failure
    return make()
  }

  #find(reference: string): [string, AuctionScenario] {
    const prefix = reference.startsWith('auc_') ? reference : `auc_${reference}`
    const found = [...this.#auctions].filter(([id]) => id.startsWith(prefix))
    if (found.length > 1)
      throw new NodeError('AUCTION_AMBIGUOUS', `"${reference}" could be several`, { field: 'auction' })
    const [only] = found
    if (!only) {
      throw new NodeError('AUCTION_NOT_FOUND', `no auction "${reference}" is known here`, {
        field: 'auction',
        next: 'see `vendue list`',
      })
    }
    return only
  }

  #decide(auctionId: string, scenario: AuctionScenario, commandId: string, command: Command): CommandResult {
    scenario.send(command)
    const { rejection, raised, events } = scenario
    if (rejection !== null) {
      const known = this.#auctions.has(auctionId)
      return {
        outcome: {
          status: 'rejected',
          commandId,
          auctionId: known ? auctionId : '',
          at: this.now,
          rejection,
        },
        auction: known ? this.#view(auctionId, scenario) : null,
      }
    }
    this.#auctions.set(auctionId, scenario)
    const first = events.length - raised.length + 1
    raised.forEach((event, i) => {
      this.items.push({
        auctionId,
        seq: first + i,
        event,
        disputed: false,
      })
    })
    this.#wake()
    const event = raised.find((candidate) => 'leads' in candidate)
    const bid =
      event?.type === 'BidPlaced'
        ? { bid: { leads: event.leads, price: event.price, reserveMet: event.reserveMet } }
        : {}
    return {
      outcome: { status: 'accepted', commandId, auctionId, seq: first, at: this.now, ...bid },
      auction: this.#view(auctionId, scenario),
    }
  }

  #view(auctionId: string, { auction: state }: AuctionScenario): AuctionView {
    const phase = phaseAt(state, this.now)
    const live = phase === 'open' || phase === 'scheduled'
    const leads = state.leader?.id === SELF.id
    const isOver = state.status === 'closed' || state.status === 'cancelled'
    const standing = !isOver ? (leads ? 'leading' : null) : leads ? 'won' : null
    return {
      auctionId,
      head: { seq: state.seq, hash: 'ab'.repeat(32) },
      state,
      phase,
      minimum: live ? minimumBid(state) : null,
      buyNowAvailable: live && buyNowAvailable(state),
      homeState: state.home.nodeId === SELF.id ? 'self' : 'alive',
      homeName: state.home.nodeId === state.seller.id ? state.seller.name : state.home.nodeId.slice('node_'.length),
      disputed: this.proofs.has(auctionId),
      breach: null,
      mine: state.seller.id === SELF.id ? 'seller' : standing,
      autoBid: this.autoBidsById.get(auctionId) ?? null,
    }
  }
}

function isOwnLive({ homeState, state }: AuctionView): boolean {
  return homeState === 'self' && (state.status === 'open' || state.status === 'scheduled')
}

function amountOf(field: string, text: AmountInput, currency: { code: string; exponent: number }): number {
  const parsed = parseAmount(text, currency)
  if (parsed.ok) return parsed.minor
  throw new NodeError('INVALID_INPUT', `${field} "${text}": is not an amount`, {
    field,
    next: 'write digits',
  })
}

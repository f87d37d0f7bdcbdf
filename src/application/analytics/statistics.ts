import { NodeError } from '../../ports/node/node-error.js'
import type {
  BidderFigures,
  LotMark,
  LotPage,
  PriceStep,
  RowMark,
  RowPage,
  SellerFigures,
  StatAuction,
  StatBid,
  StatFrame,
  StatQueries,
  StatScope,
  StatStep,
  TimeFrame,
} from '../../ports/store/stat-queries.js'
import type { Clock } from '../../ports/system/clock.js'
import { type StepSize, stepEdges, usualStep } from './time-steps.js'

export interface StatRequest {
  /** UTC milliseconds; the first event otherwise. */
  readonly from?: number | undefined
  /** UTC milliseconds, not included; now otherwise. */
  readonly to?: number | undefined
  /** What suits the frame otherwise. */
  readonly by?: StepSize | undefined
  /** Of the IANA database; UTC otherwise. */
  readonly timeZone?: string | undefined
  /** An id, or the start of one. */
  readonly auction?: string | undefined
  readonly seller?: string | undefined
}

/** The steps that an answer is in. */
export interface Steps extends TimeFrame {
  readonly by: StepSize
  readonly timeZone: string
}

export interface StatOverview extends Steps {
  readonly totals: StatStep
  readonly medianFirstBidMs: number | null
  readonly steps: readonly StatStep[]
}

export const MAX_STEPS = 2_000
export const MAX_LOTS = 200
const MAX_BIDDERS = 200
const MAX_SELLER_ROWS = 10_000
const DAY_MS = 24 * 60 * 60_000

/** Answers about numbers, from requests as people make them. Rejects with `NodeError` and `ConsumerStoreError`. */
export class Statistics {
  readonly #queries: StatQueries
  readonly #clock: Clock

  constructor({ queries, clock }: { readonly queries: StatQueries; readonly clock: Clock }) {
    this.#queries = queries
    this.#clock = clock
  }

  async overview(request: StatRequest): Promise<StatOverview> {
    const { scope, steps, edges } = await this.#steps(request)
    const frame = { ...scope, from: steps.from, to: steps.to }
    const [totals] = await this.#queries.steps(scope, [steps.from, steps.to])
    return {
      ...steps,
      totals: totals as StatStep,
      medianFirstBidMs: await this.#queries.medianFirstBidMs(frame),
      steps: await this.#queries.steps(scope, edges),
    }
  }

  async lots(
    request: StatRequest,
    { limit = MAX_LOTS, after = null }: { readonly limit?: number | undefined; readonly after?: LotMark | null },
  ): Promise<LotPage> {
    return this.#queries.lots(await this.#frame(request), { limit: Math.min(limit, MAX_LOTS), after })
  }

  async bidders(request: StatRequest, limit = MAX_BIDDERS): Promise<BidderFigures[]> {
    return this.#queries.bidders(await this.#frame(request), Math.min(limit, MAX_BIDDERS))
  }

  async sellers(request: StatRequest): Promise<Steps & { readonly sales: readonly SellerFigures[] }> {
    const { scope, steps, edges } = await this.#steps({ ...request, by: request.by ?? 'day' })
    const sales = await this.#queries.sellers(scope, edges, MAX_SELLER_ROWS + 1)
    if (sales.length <= MAX_SELLER_ROWS) return { ...steps, sales }
    throw new NodeError('INVALID_INPUT', `there are more than ${MAX_SELLER_ROWS.toLocaleString('en')} sums in this`, {
      next: 'name a shorter time with from and to, or one seller',
    })
  }

  async prices(
    request: StatRequest,
  ): Promise<Steps & { readonly auction: StatAuction; readonly prices: readonly PriceStep[] }> {
    if (request.auction === undefined)
      throw new NodeError('INVALID_INPUT', 'auction is missing', { field: 'auction', next: 'name an auction' })
    const { scope, steps, edges } = await this.#steps(request)
    const whole = { ...scope, from: 0, to: Number.MAX_SAFE_INTEGER }
    const { lots } = await this.#queries.lots(whole, { limit: 1, after: null })
    const [auction] = lots
    if (auction === undefined) throw unknownAuction(request.auction)
    return { ...steps, auction, prices: await this.#queries.prices(auction.auctionId, edges) }
  }

  auctionRows(request: StatRequest): AsyncGenerator<readonly StatAuction[], void> {
    return this.#pages(request, (frame, after) => this.#queries.auctionRows(frame, after))
  }

  bidRows(request: StatRequest): AsyncGenerator<readonly StatBid[], void> {
    return this.#pages(request, (frame, after) => this.#queries.bidRows(frame, after))
  }

  resultRows(request: StatRequest): AsyncGenerator<readonly StatAuction[], void> {
    return this.#pages(request, (frame, after) => this.#queries.resultRows(frame, after))
  }

  /** Rejects as the other methods do, before anything is sent. */
  async check(request: StatRequest): Promise<void> {
    await this.#frame(request)
  }

  async *#pages<Row>(
    request: StatRequest,
    read: (frame: StatFrame, after: RowMark | null) => Promise<RowPage<Row>>,
  ): AsyncGenerator<readonly Row[], void> {
    const frame = await this.#frame(request)
    let after: RowMark | null = null
    do {
      const page: RowPage<Row> = await read(frame, after)
      yield page.rows
      after = page.next
    } while (after !== null)
  }

  async #steps(request: StatRequest): Promise<{ scope: StatScope; steps: Steps; edges: readonly number[] }> {
    const { from, to, auctionId, sellerId } = await this.#frame(request)
    const { timeZone = 'UTC', by = usualStep({ from, to }) } = request
    const edges = stepEdges({ from, to }, { by, timeZone, max: MAX_STEPS })
    if (edges !== null) return { scope: { auctionId, sellerId }, steps: { from, to, by, timeZone }, edges }
    const rule = `makes more than ${MAX_STEPS.toLocaleString('en')} steps of this time`
    const next = by === 'day' ? 'name a shorter time with from and to' : 'name a larger step, or a shorter time'
    throw new NodeError('INVALID_INPUT', `by ${by} ${rule}`, { field: 'by', next })
  }

  async #frame({ from, to, auction, seller }: StatRequest): Promise<StatFrame> {
    const auctionId = auction === undefined ? null : await this.#auctionOf(auction)
    const scope = { auctionId, sellerId: seller ?? null }
    const bounds = from === undefined || to === undefined ? await this.#queries.bounds(scope) : null
    const end = to ?? Math.max(this.#clock.now(), bounds === null ? 0 : bounds.last + 1)
    const begin = from ?? Math.min(bounds?.first ?? end - DAY_MS, end - 1)
    if (begin < end) return { ...scope, from: begin, to: end }
    throw new NodeError('INVALID_INPUT', 'from must be before to', { field: 'from', next: 'name an earlier time' })
  }

  async #auctionOf(reference: string): Promise<string> {
    const [found, another] = await this.#queries.find(reference, 2)
    if (found === undefined) throw unknownAuction(reference)
    if (another === undefined || found === reference) return found
    const next = 'give more of its id'
    throw new NodeError('AUCTION_AMBIGUOUS', `several auctions begin with ${reference}`, { field: 'auction', next })
  }
}

function unknownAuction(reference: string): NodeError {
  return new NodeError('AUCTION_NOT_FOUND', `there are no numbers about an auction ${reference}`, {
    field: 'auction',
    next: 'see which ones there are: `vendue stats auctions`, or /api/v1/stats/auctions',
  })
}

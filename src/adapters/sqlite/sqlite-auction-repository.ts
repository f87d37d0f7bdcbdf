import { BID_KINDS, foldText } from '../../application/log/read-model.js'
import type { AuctionStatus, OpenedAuction } from '../../domain/auction.js'
import type {
  AuctionQuery,
  AuctionRecord,
  AuctionRepository,
  BidRecord,
  DueAuction,
} from '../../ports/store/auction-repository.js'
import type { SqliteReader } from './sqlite-reader.js'
import { MAX_EVENTS_PER_COMMIT } from './sqlite-schema.js'

const AUCTION = `
  SELECT a.auction_id, a.opened_at, a.last_seq, a.last_hash, a.state, t.terms
  FROM auctions a JOIN auction_terms t ON t.auction = a.ref`
const FIND = `${AUCTION} WHERE a.auction_id = ?`

const BEFORE = `(a.opened_at, a.auction_id) < (@openedAt, @auctionId)
    AND (@text IS NULL OR instr(a.title, @text) > 0)
  ORDER BY a.opened_at DESC, a.auction_id DESC LIMIT @limit`
const LIST = `${AUCTION} WHERE ${BEFORE}`
const LIST_OF_STATUS = `${AUCTION} WHERE a.status = @status AND ${BEFORE}`
const LIST_OF_PARTY = `${AUCTION} JOIN involvements i ON i.auction = a.ref
  WHERE i.party_id = @party AND i.role = @role AND (@status IS NULL OR a.status = @status) AND ${BEFORE}`
const LIST_ENDING = `${AUCTION} WHERE a.status = 'open' AND a.due_at IS NOT NULL
    AND (a.due_at, a.auction_id) > (@dueAt, @auctionId) AND (@text IS NULL OR instr(a.title, @text) > 0)
  ORDER BY a.due_at, a.auction_id LIMIT @limit`
const BID_ON = `
  SELECT a.auction_id AS id FROM json_each(@ids) wanted JOIN auctions a ON a.auction_id = wanted.value
  JOIN involvements i ON i.party_id = @bidderId AND i.role = 'bidder' AND i.auction = a.ref`
const CURSOR =
  'SELECT opened_at AS openedAt, due_at AS dueAt, auction_id AS auctionId FROM auctions WHERE auction_id = ?'
const NEWEST: Cursor = { openedAt: Number.MAX_SAFE_INTEGER, dueAt: 0, auctionId: '' }

const BY_PREFIX = `
  SELECT auction_id AS id FROM auctions WHERE auction_id >= ? AND auction_id < ? ORDER BY auction_id LIMIT ?`
/** Sorts after every character that an id may hold. */
const LAST_CHARACTER = '\u{10FFFF}'

const DUE = `
  SELECT auction_id AS auctionId, due_at AS dueAt FROM auctions
  WHERE home_node_id = ? AND due_at IS NOT NULL ORDER BY due_at, auction_id`
const UNREVEALED = `
  SELECT auction_id AS id FROM auctions WHERE home_node_id = ? AND unrevealed = 1 ORDER BY auction_id`
// Backwards through the auction's commits, and in each through its bids: no further than the limit.
const BIDS = `
  SELECT b.seq, b.at, b.bid_id, p.id AS bidder_id, p.name AS bidder_name, b.kind, b.amount, b.price, b.leads
  FROM commits c CROSS JOIN bids b
    ON b.id BETWEEN c.position * ${MAX_EVENTS_PER_COMMIT} AND (c.position + 1) * ${MAX_EVENTS_PER_COMMIT} - 1
  CROSS JOIN parties p ON p.ref = b.bidder
  WHERE c.auction = (SELECT ref FROM auctions WHERE auction_id = @auctionId)
    AND c.first_seq < @beforeSeq AND b.seq < @beforeSeq
  ORDER BY c.first_seq DESC, b.id DESC LIMIT @limit`

interface Cursor {
  readonly openedAt: number
  readonly dueAt: number | null
  readonly auctionId: string
}

interface AuctionRow {
  readonly auction_id: string
  readonly opened_at: number
  readonly last_seq: number
  readonly last_hash: string
  readonly state: string
  readonly terms: string
}

interface BidRow {
  readonly seq: number
  readonly at: number
  readonly bid_id: string
  readonly bidder_id: string
  readonly bidder_name: string
  readonly kind: number
  readonly amount: number | null
  readonly price: number
  readonly leads: number
}

const LIVE_OF = `SELECT count(*) AS live FROM auctions
  WHERE status IN ('scheduled', 'open') AND home_node_id = ?`

export class SqliteAuctionRepository implements AuctionRepository {
  readonly #reader: SqliteReader

  constructor({ reader }: { reader: SqliteReader }) {
    this.#reader = reader
  }

  async find(auctionId: string): Promise<AuctionRecord | null> {
    const row = await this.#reader.get<AuctionRow>(FIND, auctionId)
    return row === null ? null : auctionOf(row)
  }

  async idsByPrefix(prefix: string, limit: number): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(BY_PREFIX, prefix, prefix + LAST_CHARACTER, limit)
    return rows.map(({ id }) => id)
  }

  async list(query: AuctionQuery): Promise<{ auctions: AuctionRecord[]; next: string | null }> {
    const { cursor, limit, text } = query
    const from = cursor === undefined ? NEWEST : await this.#reader.get<Cursor>(CURSOR, cursor)
    if (from === null) return { auctions: [], next: null }
    const parameters = { ...from, text: text === undefined ? null : foldText(text), limit: limit + 1 }
    const rows = await this.#rows(parameters, query)
    const auctions = rows.slice(0, limit).map(auctionOf)
    return { auctions, next: rows.length > limit ? (auctions.at(-1)?.auctionId ?? null) : null }
  }

  /** One ordered index scan per status, merged: none of them reads what it does not return. */
  async #rows(
    parameters: Cursor & { limit: number; text: string | null },
    { statuses, seller, bidder, sort }: AuctionQuery,
  ): Promise<AuctionRow[]> {
    const { dueAt, openedAt, ...common } = parameters
    // One that has ended since lies before all that are open: the list would start anew.
    if (sort === 'ending') return dueAt === null ? [] : this.#reader.all(LIST_ENDING, { ...common, dueAt })
    const party = seller ?? bidder
    const role = seller === undefined ? 'bidder' : 'seller'
    const scan = { ...common, openedAt }
    if (statuses === undefined) {
      if (party === undefined) return this.#reader.all(LIST, scan)
      return this.#reader.all(LIST_OF_PARTY, { ...scan, party, role, status: null })
    }
    const perStatus = [...new Set(statuses)].map((status) =>
      party === undefined
        ? this.#reader.all<AuctionRow>(LIST_OF_STATUS, { ...scan, status })
        : this.#reader.all<AuctionRow>(LIST_OF_PARTY, { ...scan, party, role, status }),
    )
    const rows = (await Promise.all(perStatus)).flat()
    return rows.sort((a, b) => b.opened_at - a.opened_at || (a.auction_id < b.auction_id ? 1 : -1))
  }

  due(homeNodeId: string): Promise<DueAuction[]> {
    return this.#reader.all(DUE, homeNodeId)
  }

  async unrevealed(homeNodeId: string): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(UNREVEALED, homeNodeId)
    return rows.map(({ id }) => id)
  }

  async bids(auctionId: string, beforeSeq: number | null, limit: number): Promise<BidRecord[]> {
    const parameters = { auctionId, beforeSeq: beforeSeq ?? Number.MAX_SAFE_INTEGER, limit }
    const rows = await this.#reader.all<BidRow>(BIDS, parameters)
    return rows.map((row) => bidOfRow(auctionId, row))
  }

  async bidOnBy(bidderId: string, auctionIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#reader.all<{ id: string }>(BID_ON, { bidderId, ids: JSON.stringify(auctionIds) })
    return new Set(rows.map(({ id }) => id))
  }

  async liveOf(homeNodeId: string): Promise<number> {
    const row = await this.#reader.get<{ live: number }>(LIVE_OF, homeNodeId)
    return row?.live ?? 0
  }

  async counts(): Promise<{ auctions: Record<AuctionStatus, number>; bids: number }> {
    const rows = await this.#reader.all<{ status: AuctionStatus; auctions: number; bids: number }>(
      'SELECT status, auctions, bids FROM totals',
    )
    const auctions = { scheduled: 0, open: 0, closed: 0, cancelled: 0 }
    let bids = 0
    for (const row of rows) {
      auctions[row.status] = row.auctions
      bids += row.bids
    }
    return { auctions, bids }
  }
}

function auctionOf({ auction_id, last_seq, last_hash, state, terms }: AuctionRow): AuctionRecord {
  const whole = { ...JSON.parse(state), terms: JSON.parse(terms) } as OpenedAuction
  return { auctionId: auction_id, head: { seq: last_seq, hash: last_hash }, state: whole }
}

function bidOfRow(auctionId: string, row: BidRow): BidRecord {
  const { seq, at, bid_id, bidder_id, bidder_name, kind, amount, price, leads } = row
  const bidder = { id: bidder_id, name: bidder_name }
  return { auctionId, seq, at, bidId: bid_id, bidder, kind: kindOf(kind), amount, price, leads: leads === 1 }
}

function kindOf(place: number): BidRecord['kind'] {
  const kind = BID_KINDS[place]
  if (kind === undefined) throw new Error(`the database holds a bid of the unknown kind ${place}`)
  return kind
}

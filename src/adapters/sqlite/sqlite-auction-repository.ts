import {
  type EndingPlace,
  endingCursor,
  endingPlace,
  type NewestPlace,
  newestCursor,
  readEndingCursor,
  readNewestCursor,
} from '../../application/log/list-order.js'
import { bidOf, foldText } from '../../application/log/read-model.js'
import type { AuctionPhase, AuctionStatus, OpenedAuction } from '../../domain/auction.js'
import type { AuctionEvent } from '../../domain/events.js'
import type {
  AuctionQuery,
  AuctionRecord,
  AuctionRepository,
  BidRecord,
  DueAuction,
} from '../../ports/store/auction-repository.js'
import { storedEvents } from './commit-rows.js'
import { checkRow } from './row-sums.js'
import type { SqliteReader } from './sqlite-reader.js'
import { StoreError } from './store-error.js'
import { auctionsTitled } from './title-search.js'

const FOUND = 'json_each(@refs) found CROSS JOIN auctions a ON a.ref = found.value'
/** `isFound`: among those alone whose titles have been looked up. */
const auctionsOf = (isFound: boolean) => `
  SELECT a.auction_id, a.opened_at, a.home_node_id, a.status, a.due_at, a.last_seq, a.last_hash, a.state, a.sum,
    t.terms, t.sum AS terms_sum
  FROM ${isFound ? FOUND : 'auctions a'} JOIN auction_terms t ON t.auction = a.ref`
const AUCTION = auctionsOf(false)
const FIND = `${AUCTION} WHERE a.auction_id = ?`

const BEFORE = `(a.opened_at, a.auction_id) < (@openedAt, @auctionId)
    AND (@text IS NULL OR instr(a.title, @text) > 0)
  ORDER BY a.opened_at DESC, a.auction_id DESC LIMIT @limit`
const OF_PARTY = `JOIN involvements i ON i.auction = a.ref AND i.party_id = @party AND i.role = @role`
/** `is`: a condition from `PHASE_IS`. */
const list = (isFound: boolean, isOfParty: boolean, is = 'true') =>
  `${auctionsOf(isFound)} ${isOfParty ? OF_PARTY : ''} WHERE ${is} AND ${BEFORE}`

/** A scheduled one is due at its opening: only where its home was away for all of it has its end come. */
const HAS_ENDED = `CASE a.status WHEN 'open' THEN a.due_at <= @now
    ELSE a.due_at <= @now AND coalesce(json_extract(a.state, '$.closesAt') <= @now, 0) END`
/** What the log says of an auction in this phase, so that an index finds it, and what the clock says. */
const PHASE_IS: Readonly<Record<AuctionPhase, readonly string[]>> = {
  scheduled: [`a.status = 'scheduled' AND NOT (${HAS_ENDED})`],
  open: [`a.status = 'open' AND (a.due_at IS NULL OR a.due_at > @now)`],
  ended: [`a.status = 'open' AND a.due_at <= @now`, `a.status = 'scheduled' AND (${HAS_ENDED})`],
  closed: [`a.status = 'closed'`],
  cancelled: [`a.status = 'cancelled'`],
}

const ending = (isFound: boolean, whose: string) => `${auctionsOf(isFound)} WHERE a.status = 'open' AND ${whose}
    AND (a.due_at, a.auction_id) > (@dueAt, @auctionId) AND (@text IS NULL OR instr(a.title, @text) > 0)
  ORDER BY a.due_at, a.auction_id LIMIT @limit`
const AHEAD = 'a.due_at > @now'
const ENDED = 'a.due_at <= @now'
const BID_ON = `
  SELECT a.auction_id AS id FROM json_each(@ids) wanted JOIN auctions a ON a.auction_id = wanted.value
  JOIN involvements i ON i.party_id = @bidderId AND i.role = 'bidder' AND i.auction = a.ref`
const WITH_PICTURE = `${AUCTION} JOIN auction_pictures p ON p.auction = a.ref
  WHERE p.hash = @hash AND (@homeNodeId IS NULL OR a.home_node_id = @homeNodeId) LIMIT 1`
const NEWEST: NewestPlace = { openedAt: Number.MAX_SAFE_INTEGER, auctionId: '' }
const SOONEST: EndingPlace = { group: 'ahead', closesAt: 0, auctionId: '' }

const BY_PREFIX = `
  SELECT auction_id AS id FROM auctions WHERE auction_id >= ? AND auction_id < ? ORDER BY auction_id LIMIT ?`
/** Sorts after every character that an id may hold. */
const LAST_CHARACTER = '\u{10FFFF}'

const DUE = `
  SELECT auction_id, home_node_id, status, due_at, last_seq, last_hash, state, sum FROM auctions
  WHERE home_node_id = ? AND due_at IS NOT NULL ORDER BY due_at, auction_id`
const UNREVEALED = `
  SELECT auction_id AS id FROM auctions WHERE home_node_id = ? AND unrevealed = 1 ORDER BY auction_id`
const COMMITS_BEFORE = `
  SELECT first_seq AS firstSeq, body FROM commits
  WHERE auction = (SELECT ref FROM auctions WHERE auction_id = @auctionId) AND first_seq < @beforeSeq
  ORDER BY first_seq DESC`
const REVEALED = `
  SELECT bid_id AS bidId, amount FROM revealed_maxima
  WHERE auction = (SELECT ref FROM auctions WHERE auction_id = @auctionId)
    AND bid_id IN (SELECT value FROM json_each(@ids))`

/** What a row of `auctions` is acted upon for. */
export interface SummedAuction {
  readonly auction_id: string
  readonly home_node_id: string
  readonly status: string
  readonly due_at: number | null
  readonly last_seq: number
  readonly last_hash: string
  readonly state: string
  readonly sum: number
}

interface AuctionRow extends SummedAuction {
  readonly opened_at: number
  readonly terms: string
  readonly terms_sum: number
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
    if (query.sort === 'ending') return this.#ending(query)
    const { cursor, limit } = query
    const from = cursor === undefined ? NEWEST : readNewestCursor(cursor)
    if (from === null) throw new RangeError('this is no cursor of a list by opening')
    const rows = await this.#newest(from, query)
    const page = rows.slice(0, limit)
    const last = rows.length > limit ? page.at(-1) : undefined
    const next = last && newestCursor({ openedAt: last.opened_at, auctionId: last.auction_id })
    return { auctions: page.flatMap(shown), next: next ?? null }
  }

  /** One ordered index scan per status, merged: none of them reads what it does not return. */
  async #newest(
    from: NewestPlace,
    { statuses, seller, bidder, now, text, limit }: AuctionQuery,
  ): Promise<AuctionRow[]> {
    const party = seller ?? bidder
    const role = seller === undefined ? 'bidder' : 'seller'
    const { isFound, ...wanted } = await this.#titled(text)
    const scan = { ...from, ...wanted, limit: limit + 1, now, party, role }
    const isOfParty = party !== undefined
    if (statuses === undefined) return this.#reader.all(list(isFound, isOfParty), scan)
    const parts = [...new Set(statuses)].flatMap((phase) => PHASE_IS[phase])
    const scans = parts.map((is) => this.#reader.all<AuctionRow>(list(isFound, isOfParty, is), scan))
    const rows = (await Promise.all(scans)).flat()
    return rows.sort((a, b) => b.opened_at - a.opened_at || (a.auction_id < b.auction_id ? 1 : -1))
  }

  async #ending({
    cursor,
    now,
    text,
    limit,
  }: AuctionQuery): Promise<{ auctions: AuctionRecord[]; next: string | null }> {
    const from = cursor === undefined ? SOONEST : readEndingCursor(cursor)
    if (from === null) throw new RangeError('this is no cursor of a list by end')
    const { isFound, ...wanted } = await this.#titled(text)
    const scan = { now, ...wanted }
    const start = { dueAt: from.closesAt, auctionId: from.auctionId }
    const ahead =
      from.group === 'ahead'
        ? await this.#reader.all<AuctionRow>(ending(isFound, AHEAD), { ...scan, ...start, limit: limit + 1 })
        : []
    const behind = from.group === 'ended' ? start : { dueAt: 0, auctionId: '' }
    const left = limit + 1 - ahead.length
    const ended =
      left > 0 ? await this.#reader.all<AuctionRow>(ending(isFound, ENDED), { ...scan, ...behind, limit: left }) : []
    const rows = [...ahead, ...ended].flatMap(shown)
    const auctions = rows.slice(0, limit)
    const last = auctions.at(-1)
    const place = last === undefined ? null : endingPlace(last, now)
    return { auctions, next: rows.length > limit && place !== null ? endingCursor(place) : null }
  }

  /** What the titles have to hold, and where that is in few of them: in which. */
  async #titled(wanted: string | undefined): Promise<{ text: string | null; refs: string | null; isFound: boolean }> {
    if (wanted === undefined || wanted === '') return { text: null, refs: null, isFound: false }
    const text = foldText(wanted)
    const refs = await auctionsTitled(this.#reader, text)
    return { text, refs: refs && JSON.stringify(refs), isFound: refs !== null }
  }

  async due(homeNodeId: string): Promise<DueAuction[]> {
    const rows = await this.#reader.all<SummedAuction & { due_at: number }>(DUE, homeNodeId)
    return rows.map((row) => {
      checkAuction(row)
      return { auctionId: row.auction_id, dueAt: row.due_at }
    })
  }

  async unrevealed(homeNodeId: string): Promise<string[]> {
    const rows = await this.#reader.all<{ id: string }>(UNREVEALED, homeNodeId)
    return rows.map(({ id }) => id)
  }

  async bids(auctionId: string, beforeSeq: number | null, limit: number): Promise<BidRecord[]> {
    const before = beforeSeq ?? Number.MAX_SAFE_INTEGER
    const bids: BidRecord[] = []
    const parameters = [{ auctionId, beforeSeq: before }]
    await this.#reader.take<{ firstSeq: number; body: string }>(COMMITS_BEFORE, parameters, ({ firstSeq, body }) => {
      bids.push(...bidsIn(auctionId, firstSeq, storedEvents(body), before))
      return bids.length < limit
    })
    return this.#withRevealed(auctionId, bids.slice(0, limit))
  }

  async #withRevealed(auctionId: string, bids: readonly BidRecord[]): Promise<BidRecord[]> {
    const hidden = bids.flatMap(({ amount, bidId }) => (amount === null ? [bidId] : []))
    if (hidden.length === 0) return [...bids]
    const parameters = { auctionId, ids: JSON.stringify(hidden) }
    const revealed = await this.#reader.all<{ bidId: string; amount: number }>(REVEALED, parameters)
    const amounts = new Map(revealed.map(({ bidId, amount }) => [bidId, amount]))
    return bids.map((bid) => ({ ...bid, amount: bid.amount ?? amounts.get(bid.bidId) ?? null }))
  }

  async bidOnBy(bidderId: string, auctionIds: readonly string[]): Promise<Set<string>> {
    const rows = await this.#reader.all<{ id: string }>(BID_ON, { bidderId, ids: JSON.stringify(auctionIds) })
    return new Set(rows.map(({ id }) => id))
  }

  async liveOf(homeNodeId: string): Promise<number> {
    const row = await this.#reader.get<{ live: number }>(LIVE_OF, homeNodeId)
    return row?.live ?? 0
  }

  async withPicture(hash: string, homeNodeId: string | null): Promise<AuctionRecord | null> {
    const row = await this.#reader.get<AuctionRow>(WITH_PICTURE, { hash, homeNodeId })
    return row === null ? null : auctionOf(row)
  }

  async counts(): Promise<{ auctions: Record<AuctionStatus, number>; bids: number }> {
    const rows = await this.#reader.all<{ status: AuctionStatus; auctions: number; bids: number }>(
      `SELECT name AS status, auctions, bids FROM tallies WHERE kind = 'status'`,
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

/** One that is damaged hides none of the others. */
function shown(row: AuctionRow): AuctionRecord[] {
  try {
    return [auctionOf(row)]
  } catch (error) {
    if (error instanceof StoreError) return []
    throw error
  }
}

/** Throws `StoreError`. */
export function checkAuction(row: SummedAuction): void {
  const { auction_id, home_node_id, status, due_at, last_seq, last_hash, state, sum } = row
  checkRow('auctions', auction_id, sum, auction_id, home_node_id, status, due_at, last_seq, last_hash, state)
}

function auctionOf(row: AuctionRow): AuctionRecord {
  const { auction_id, last_seq, last_hash, state, terms, terms_sum } = row
  checkAuction(row)
  checkRow('auction_terms', auction_id, terms_sum, auction_id, terms)
  const whole = { ...JSON.parse(state), terms: JSON.parse(terms) } as OpenedAuction
  return { auctionId: auction_id, head: { seq: last_seq, hash: last_hash }, state: whole }
}

/** Newest first. */
function bidsIn(auctionId: string, firstSeq: number, events: readonly AuctionEvent[], beforeSeq: number): BidRecord[] {
  return events
    .flatMap((event, i): BidRecord[] => {
      const bid = bidOf(event)
      if (bid === null || firstSeq + i >= beforeSeq) return []
      const { reserveMet: _, ...shown } = bid
      return [{ auctionId, seq: firstSeq + i, ...shown }]
    })
    .reverse()
}

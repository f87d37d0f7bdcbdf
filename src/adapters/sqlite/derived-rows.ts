import type { Database } from 'better-sqlite3'
import { BID_KINDS, bidOf } from '../../application/log/read-model.js'
import { eventsOf } from '../../application/log/written-body.js'
import type { AuctionEvent } from '../../domain/events.js'
import { bidRowId, MAX_EVENTS_PER_COMMIT } from './sqlite-schema.js'

interface StoredCommit {
  readonly position: number
  readonly auction: number
  readonly firstSeq: number
  readonly body: string
}

type BidCells = readonly (string | number | null)[]

/**
 * Tables that should follow from the log, and hold other rows: histories of bids with their parties, who has to do with
 * which auction, and counts. They carry no sums, for which each bid would have to pay. The commits have to be sound.
 */
export function differentFromLog(db: Database): string[] {
  const different = new Set<string>()
  if (!bidsFollow(db)) different.add('bids')
  for (const [table, sql] of DIFFERENCES) if (db.prepare(sql).get() !== undefined) different.add(table)
  return [...different]
}

/** The newest commits first: what opens a maximum comes before the bid that it opens. */
function bidsFollow(db: Database): boolean {
  const commits = db.prepare<[number], StoredCommit>(
    `SELECT position, auction, first_seq AS firstSeq, body FROM commits WHERE position < ?
     ORDER BY position DESC LIMIT 1`,
  )
  const bids = db
    .prepare<[number, number], BidCells>(
      `SELECT b.id, b.auction, b.seq, b.at, b.bid_id, p.id, p.name, b.kind, b.amount, b.price, b.leads, b.reserve_met
       FROM bids b LEFT JOIN parties p ON p.ref = b.bidder WHERE b.id >= ? AND b.id < ? ORDER BY b.id`,
    )
    .raw()
  const revealed = new Map<string, number>()
  let found = 0
  let before = Number.MAX_SAFE_INTEGER
  for (let commit = commits.get(before); commit !== undefined; commit = commits.get(before)) {
    const { position } = commit
    const stored = bids.all(bidRowId(position, 0), bidRowId(position, MAX_EVENTS_PER_COMMIT))
    if (JSON.stringify(stored) !== JSON.stringify(bidRowsOf(commit, revealed))) return false
    found += stored.length
    before = position
  }
  return db.prepare('SELECT count(*) FROM bids').pluck().get() === found
}

/** As they are stored; takes from `revealed` what it uses. */
function bidRowsOf({ position, auction, firstSeq, body }: StoredCommit, revealed: Map<string, number>): BidCells[] {
  const events = eventsOf(body)
  for (const event of events)
    if (event.type === 'MaximaRevealed')
      for (const { bidId, amount } of event.maxima) revealed.set(`${auction} ${bidId}`, amount)
  return events.flatMap((event: AuctionEvent, i) => {
    const bid = bidOf(event)
    if (bid === null) return []
    const { at, bidId, bidder, kind, price, leads, reserveMet } = bid
    const key = `${auction} ${bidId}`
    const amount = bid.amount ?? revealed.get(key) ?? null
    revealed.delete(key)
    const [id, place] = [bidRowId(position, i), BID_KINDS.indexOf(kind)]
    const isTrue = (value: boolean) => (value ? 1 : 0)
    return [
      [id, auction, firstSeq + i, at, bidId, bidder.id, bidder.name, place, amount, price].concat(
        isTrue(leads),
        isTrue(reserveMet),
      ),
    ]
  })
}

/** Each finds a row where one is too many, missing or another. */
const DIFFERENCES: readonly [table: string, sql: string][] = [
  [
    'auctions',
    `SELECT 1 FROM auctions a JOIN auction_terms t ON t.auction = a.ref
     WHERE a.opened_at IS NOT json_extract(a.state, '$.openedAt')
       OR a.bid_count IS NOT (SELECT count(*) FROM commits c JOIN bids b
         ON b.id >= c.position * ${MAX_EVENTS_PER_COMMIT} AND b.id < (c.position + 1) * ${MAX_EVENTS_PER_COMMIT}
         WHERE c.auction = a.ref)`,
  ],
  [
    'involvements',
    notSame(
      'SELECT party_id, role, auction FROM involvements',
      `SELECT p.id, 'bidder', b.auction FROM bids b JOIN parties p ON p.ref = b.bidder
       UNION SELECT json_extract(state, '$.seller.id'), 'seller', ref FROM auctions`,
    ),
  ],
  [
    'tallies',
    notSame(
      `SELECT kind, name, auctions, bids, bytes FROM tallies WHERE auctions <> 0 OR bids <> 0 OR bytes <> 0`,
      `SELECT 'status', status, count(*), sum(bid_count), 0 FROM auctions GROUP BY status
       UNION ALL SELECT 'author', signer, sum(first_seq = 1), 0, sum(octet_length(body)) FROM commits GROUP BY signer`,
    ),
  ],
]

function notSame(stored: string, expected: string): string {
  return `SELECT 1 FROM (SELECT * FROM (${stored}) EXCEPT SELECT * FROM (${expected}))
    UNION ALL SELECT 1 FROM (SELECT * FROM (${expected}) EXCEPT SELECT * FROM (${stored})) LIMIT 1`
}

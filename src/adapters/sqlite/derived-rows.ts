import type { Database } from 'better-sqlite3'
import { bidOf } from '../../application/log/read-model.js'
import { eventsOf } from '../../application/log/written-body.js'
import { COMMIT_COLUMNS, type CommitRow, commitOf } from './commit-rows.js'

interface StoredCommit extends CommitRow {
  readonly position: number
  readonly auction: number
  readonly auctionId: string
}

/** What the logs come to, by auction. */
interface Replayed {
  readonly bids: Map<number, number>
  /** What each author has written, by public key. */
  readonly authors: Map<string, { auctions: number; bytes: number }>
  /** Rows, as JSON. */
  readonly involvements: Set<string>
  readonly revealed: Set<string>
}

/**
 * Finds tables that hold other rows than follow from the log: who has to do with which auction, which maxima were
 * opened, and counts. They carry no sums, since each bid would have to pay for them. The commits have to be sound.
 */
export function differentFromLog(db: Database): string[] {
  const { authors, bids, involvements, revealed } = replay(db)
  const different = new Set<string>()
  if (!isSame(db, 'SELECT party_id, role, auction FROM involvements', involvements)) different.add('involvements')
  if (!isSame(db, 'SELECT auction, bid_id, amount FROM revealed_maxima', revealed)) different.add('revealed_maxima')
  const written = [...authors].map(([name, { auctions, bytes }]) => JSON.stringify([name, auctions, 0, bytes]))
  const tallies = `SELECT name, auctions, bids, bytes FROM tallies WHERE kind = 'author'`
  if (!isSame(db, tallies, new Set(written))) different.add('tallies')
  const counts = db.prepare<[], { ref: number; bid_count: number }>('SELECT ref, bid_count FROM auctions')
  for (const { ref, bid_count } of counts.iterate()) if (bid_count !== (bids.get(ref) ?? 0)) different.add('auctions')
  for (const [table, sql] of DIFFERENCES) if (db.prepare(sql).get() !== undefined) different.add(table)
  return [...different]
}

function replay(db: Database): Replayed {
  const next = db.prepare<[number], StoredCommit>(
    `SELECT c.position, c.auction, a.auction_id AS auctionId, ${COMMIT_COLUMNS}
     FROM commits c JOIN auctions a ON a.ref = c.auction JOIN authors s ON s.ref = c.signer
     WHERE c.position > ? ORDER BY c.position LIMIT 1`,
  )
  const replayed: Replayed = { authors: new Map(), bids: new Map(), involvements: new Set(), revealed: new Set() }
  for (let commit = next.get(0); commit !== undefined; commit = next.get(commit.position)) take(commit, replayed)
  return replayed
}

function take(commit: StoredCommit, { authors, bids, involvements, revealed }: Replayed): void {
  const { auction, auctionId, firstSeq, signer } = commit
  const { body } = commitOf(auctionId, commit)
  const { auctions, bytes } = authors.get(signer) ?? { auctions: 0, bytes: 0 }
  authors.set(signer, { auctions: auctions + (firstSeq === 1 ? 1 : 0), bytes: bytes + Buffer.byteLength(body) })
  for (const event of eventsOf(body)) {
    if (event.type === 'AuctionOpened') involvements.add(JSON.stringify([event.seller.id, 'seller', auction]))
    if (event.type === 'MaximaRevealed')
      for (const { bidId, amount } of event.maxima) revealed.add(JSON.stringify([auction, bidId, amount]))
    const bid = bidOf(event)
    if (bid === null) continue
    bids.set(auction, (bids.get(auction) ?? 0) + 1)
    involvements.add(JSON.stringify([bid.bidder.id, 'bidder', auction]))
  }
}

function isSame(db: Database, select: string, expected: ReadonlySet<string>): boolean {
  let found = 0
  for (const row of db.prepare(select).raw().iterate()) {
    if (!expected.has(JSON.stringify(row))) return false
    found += 1
  }
  return found === expected.size
}

/** Each query finds a row if one is missing, different, or one too many. */
const DIFFERENCES: readonly [table: string, sql: string][] = [
  ['auctions', `SELECT 1 FROM auctions WHERE opened_at IS NOT json_extract(state, '$.openedAt')`],
  [
    'tallies',
    notSame(
      `SELECT name, auctions, bids, bytes FROM tallies WHERE kind = 'status' AND (auctions <> 0 OR bids <> 0)`,
      'SELECT status, count(*), sum(bid_count), 0 FROM auctions GROUP BY status',
    ),
  ],
]

function notSame(stored: string, expected: string): string {
  return `SELECT 1 FROM (SELECT * FROM (${stored}) EXCEPT SELECT * FROM (${expected}))
    UNION ALL SELECT 1 FROM (SELECT * FROM (${expected}) EXCEPT SELECT * FROM (${stored})) LIMIT 1`
}

import type { Database } from 'better-sqlite3'
import { bidOf } from '../../application/log/read-model.js'
import { eventsOf } from '../../application/log/written-body.js'

interface StoredCommit {
  readonly position: number
  readonly auction: number
  readonly body: string
}

/** What the logs come to, by auction. */
interface Replayed {
  readonly bids: Map<number, number>
  /** Rows, as JSON. */
  readonly involvements: Set<string>
  readonly revealed: Set<string>
}

/**
 * Tables that should follow from the log, and hold other rows: who has to do with which auction, which maxima were
 * opened, and counts. They carry no sums, for which each bid would have to pay. The commits have to be sound.
 */
export function differentFromLog(db: Database): string[] {
  const { bids, involvements, revealed } = replay(db)
  const different = new Set<string>()
  if (!isSame(db, 'SELECT party_id, role, auction FROM involvements', involvements)) different.add('involvements')
  if (!isSame(db, 'SELECT auction, bid_id, amount FROM revealed_maxima', revealed)) different.add('revealed_maxima')
  const counts = db.prepare<[], { ref: number; bid_count: number }>('SELECT ref, bid_count FROM auctions')
  for (const { ref, bid_count } of counts.iterate()) if (bid_count !== (bids.get(ref) ?? 0)) different.add('auctions')
  for (const [table, sql] of DIFFERENCES) if (db.prepare(sql).get() !== undefined) different.add(table)
  return [...different]
}

function replay(db: Database): Replayed {
  const next = db.prepare<[number], StoredCommit>(
    'SELECT position, auction, body FROM commits WHERE position > ? ORDER BY position LIMIT 1',
  )
  const replayed: Replayed = { bids: new Map(), involvements: new Set(), revealed: new Set() }
  for (let commit = next.get(0); commit !== undefined; commit = next.get(commit.position)) take(commit, replayed)
  return replayed
}

function take({ auction, body }: StoredCommit, { bids, involvements, revealed }: Replayed): void {
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

/** Each finds a row where one is too many, missing or another. */
const DIFFERENCES: readonly [table: string, sql: string][] = [
  ['auctions', `SELECT 1 FROM auctions WHERE opened_at IS NOT json_extract(state, '$.openedAt')`],
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

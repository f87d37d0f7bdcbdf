import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import { newCommandId } from '../src/application/log/ids.js'
import { eventsOf } from '../src/application/log/written-body.js'
import type { AuctionEvent, BidPlaced } from '../src/domain/events.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchRun } from './bench-result.js'
import { homeBids, IDS } from './home-bids.js'
import { load, percentile } from './latency.js'

const LEVELS = [
  { callers: 1, bids: 4_000 },
  { callers: 64, bids: 60_000 },
  { callers: 1_000, bids: 300_000 },
]
const TARGET_RATIO = 0.6

/**
 * Durable bids through a node's actor (decide, seal, sign, append, acknowledge) on one auction, at several numbers of
 * concurrent callers; beside it what better-sqlite3 alone does in one thread with rows of the same content in
 * batches of the sizes that the actor made, on the same disk with the same durability.
 */
export async function* run(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const node = createNode(testSettings({ home, name: 'bench' }), { logger: silentLogger })
  try {
    await node.start()
    for (const { callers, bids } of LEVELS) yield* measure(home, node, callers, bids)
  } finally {
    await node.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function* measure(home: string, node: VendueNode, callers: number, bids: number): BenchRun {
  const { outcome } = await node.api.open({
    commandId: newCommandId('cmd', IDS),
    title: `${callers} callers`,
    currency: 'EUR',
    start: '0.01',
    increment: '0.01',
  })
  const { auctionId } = outcome
  const bid = homeBids(node)
  const { ms, samples } = await load(callers, bids, (i) => bid({ auctionId, turn: i, amount: i + 1 }))
  const bodies = await bodiesOf(node, auctionId)
  const rawMs = raw(join(home, `raw-${callers}.db`), bodies)
  const actorRate = (bids / ms) * 1000
  const rawRate = (bids / rawMs) * 1000
  const name = `durable bids through the actor, ${callers} caller${callers === 1 ? '' : 's'}`
  const batch = bids / bodies.length
  yield {
    name,
    unit: 'bids/s',
    value: Math.round(actorRate),
    figures: {
      p50_ms: percentile(samples, 0.5),
      p99_ms: percentile(samples, 0.99),
      bids_per_commit: batch,
      raw_better_sqlite3_bids_per_s: Math.round(rawRate),
    },
  }
  yield {
    name: `${name}, of raw better-sqlite3`,
    unit: '',
    value: actorRate / rawRate,
    figures: {},
    ...(callers >= 1_000 && { target: { atLeast: TARGET_RATIO } }),
  }
}

async function bodiesOf(node: VendueNode, auctionId: string): Promise<string[]> {
  const log = node.services.parts.eventLog
  const bodies: string[] = []
  for (let seq = 2; ; ) {
    const page = await log.read(auctionId, seq, { commits: 256, bytes: 16 * 1024 * 1024 })
    const last = page.at(-1)
    if (!last) return bodies
    for (const { body } of page) bodies.push(body)
    seq = last.lastSeq + 1
  }
}

/**
 * Milliseconds to store the same rows (the commits, each bid's row, and what finds it by command id), one transaction
 * per commit, written as one would write it with better-sqlite3 alone: no deciding, no hashing, no second thread.
 */
function raw(path: string, bodies: readonly string[]): number {
  const batches = bodies.map((body) => ({ body, bids: eventsOf(body).filter(isBid) }))
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(`
    CREATE TABLE commits (position INTEGER PRIMARY KEY, auction INTEGER NOT NULL, first_seq INTEGER NOT NULL,
      last_seq INTEGER NOT NULL, hash TEXT NOT NULL, signature TEXT NOT NULL, body TEXT NOT NULL) STRICT;
    CREATE TABLE bids (id INTEGER PRIMARY KEY, auction INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
      bid_id TEXT NOT NULL, bidder INTEGER NOT NULL, kind INTEGER NOT NULL, amount INTEGER,
      price INTEGER NOT NULL, leads INTEGER NOT NULL, reserve_met INTEGER NOT NULL) STRICT;
    CREATE TABLE outcomes (command_id TEXT PRIMARY KEY, bid INTEGER, fingerprint TEXT NOT NULL, outcome TEXT)
      STRICT, WITHOUT ROWID;
  `)
  const insertCommit = db.prepare(
    'INSERT INTO commits (auction, first_seq, last_seq, hash, signature, body) VALUES (1, ?, ?, ?, ?, ?)',
  )
  const insertBid = db.prepare('INSERT INTO bids VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertOutcome = db.prepare('INSERT INTO outcomes VALUES (?, ?, ?, NULL)')
  const hash = 'f'.repeat(64)
  const signature = 's'.repeat(86)
  let seq = 1
  const store = db.transaction(({ body, bids }: (typeof batches)[number]) => {
    insertCommit.run(seq + 1, seq + bids.length, hash, signature, body)
    for (const { bidId, at, amount, price } of bids) {
      seq += 1
      insertBid.run(seq, seq, at, bidId, 1, 0, amount, price, 1, 1)
      insertOutcome.run(bidId, seq, 'sixteencharacter')
    }
  })
  const startedAt = performance.now()
  for (const batch of batches) store.immediate(batch)
  const ms = performance.now() - startedAt
  db.close()
  return ms
}

function isBid(event: AuctionEvent): event is BidPlaced {
  return event.type === 'BidPlaced'
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStore } from '../src/adapters/sqlite/open-store.js'
import { loadNodeKey } from '../src/adapters/system/node-key.js'
import { sealCommit } from '../src/application/commit.js'
import { nodeIdOf } from '../src/application/ids.js'
import { type Auction, type OpenedAuction, UNOPENED } from '../src/domain/auction.js'
import type { Head } from '../src/domain/commit.js'
import type { AuctionEvent } from '../src/domain/events.js'
import { evolve } from '../src/domain/evolve.js'
import { flatIncrement } from '../src/domain/increments.js'
import { NO_SECRETS } from '../src/domain/pricing.js'
import type { EventLog } from '../src/ports/event-log.js'
import type { Signer } from '../src/ports/signer.js'
import { NodeProcess } from '../test/support/node-process.js'
import type { BenchResult } from './bench-result.js'

const AUCTIONS = 10_000
const BIDS_PER_AUCTION = 100
const STARTS = 5
const TARGET_MS = 3_000
const TARGET_MB = 300
const OPENED_AT = Date.now() - 3_600_000
const CLOSES_AT = Date.now() + 30 * 86_400_000
const APPENDS_AT_ONCE = 500

/** A node that is the home of 10,000 open auctions with 1,000,000 bids: how fast it is up, and what it takes. */
export async function run(): Promise<BenchResult[]> {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  try {
    await fill(join(home, 'nodes', 'full'))
    const samples: { ms: number; rssMb: number; peakMb: number }[] = []
    for (let i = 0; i < STARTS; i++) samples.push(await startOnce(home))
    const median = (pick: (sample: (typeof samples)[number]) => number) =>
      samples.map(pick).sort((a, b) => a - b)[STARTS >> 1] ?? 0
    const size = { auctions: AUCTIONS, bids: AUCTIONS * BIDS_PER_AUCTION, starts: STARTS }
    return [
      {
        name: 'start with 10,000 open auctions and 1,000,000 bids',
        unit: 'ms',
        value: median(({ ms }) => ms),
        figures: { slowest_ms: Math.max(...samples.map(({ ms }) => ms)), ...size },
        target: { atMost: TARGET_MS },
      },
      {
        name: 'peak memory of that start',
        unit: 'MB',
        value: median(({ peakMb }) => peakMb),
        figures: { resident_after_mb: median(({ rssMb }) => rssMb), ...size },
        target: { atMost: TARGET_MB },
      },
    ]
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function startOnce(home: string): Promise<{ ms: number; rssMb: number; peakMb: number }> {
  const startedAt = performance.now()
  const node = await NodeProcess.start({ home, name: 'full', args: ['--grape-port', '0', '--dht-port', '0'] })
  const { auctions, bids } = await node.api.status()
  const ms = performance.now() - startedAt
  if (auctions.open !== AUCTIONS || bids !== AUCTIONS * BIDS_PER_AUCTION) {
    throw new Error(`the node knows ${auctions.open} open auctions and ${bids} bids`)
  }
  // Timers, sweeps and a first comparison with itself have had their turn by then.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  const status = readFileSync(`/proc/${node.pid}/status`, 'utf8')
  const mb = (field: string) =>
    Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1024
  const sample = { ms, rssMb: mb('VmRSS'), peakMb: mb('VmHWM') }
  await node.end()
  return sample
}

async function fill(dataDir: string): Promise<void> {
  mkdirSync(dataDir, { recursive: true })
  const signer = loadNodeKey(dataDir)
  const store = await openStore(dataDir)
  try {
    for (let i = 0; i < AUCTIONS; i += APPENDS_AT_ONCE) {
      const some = Array.from({ length: APPENDS_AT_ONCE }, (_, k) => auction(store.eventLog, signer, i + k))
      await Promise.all(some)
    }
  } finally {
    await store.close()
  }
}

/** Two commits: the opening, and all bids. */
async function auction(log: EventLog, signer: Signer, i: number): Promise<void> {
  const nodeId = nodeIdOf(signer.publicKey)
  const opening: AuctionEvent = {
    type: 'AuctionOpened',
    at: OPENED_AT,
    commandId: `cmd_fill${String(i).padStart(6, '0')}`,
    seller: { id: nodeId, name: 'full' },
    home: { nodeId, publicKey: signer.publicKey },
    terms: {
      title: `Lot ${i}`,
      description: 'One of many.',
      currency: { code: 'EUR', exponent: 2 },
      startPrice: 100,
      reserveCommitment: null,
      increments: flatIncrement(1),
      buyNow: null,
      opensAt: null,
      closesAt: CLOSES_AT,
      softClose: null,
    },
  }
  const bids = Array.from({ length: BIDS_PER_AUCTION }, (_, k): AuctionEvent => {
    const bidder = { id: `node_bidder${k % 7}`, name: `Bidder ${k % 7}` }
    const bidId = `bid_fill${String(i).padStart(6, '0')}x${String(k).padStart(4, '0')}`
    const price = 100 + k
    return {
      type: 'BidPlaced',
      at: OPENED_AT + k,
      bidId,
      bidder,
      amount: price,
      commitment: null,
      price,
      leads: true,
      reserveMet: true,
    }
  })
  const first = await append(log, signer, UNOPENED, null, null, [opening])
  await append(log, signer, first.state, first.auctionId, first.head, bids)
}

async function append(
  log: EventLog,
  signer: Signer,
  before: Auction,
  auctionId: string | null,
  head: Head | null,
  events: readonly AuctionEvent[],
): Promise<{ auctionId: string; head: Head; state: OpenedAuction }> {
  const prevHash = head?.hash ?? null
  const commit = sealCommit({ auctionId, firstSeq: (head?.seq ?? 0) + 1, prevHash, events }, signer)
  const state = events.reduce<Auction>(evolve, before) as OpenedAuction
  await log.append({
    commit,
    prevHash,
    events,
    state,
    secret: { secrets: NO_SECRETS, sealed: [] },
    outcomes: [],
  })
  return { auctionId: commit.auctionId, head: { seq: commit.lastSeq, hash: commit.hash }, state }
}

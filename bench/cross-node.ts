import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import { newCommandId } from '../src/application/log/ids.js'
import { answerTo } from '../src/application/submissions/submission.js'
import { eventually } from '../test/support/eventually.js'
import { NodeProcess } from '../test/support/node-process.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { load, percentile } from './latency.js'

const LEVELS = [
  { inFlight: 1, bids: 3_000 },
  { inFlight: 256, bids: 150_000 },
]
const TARGET_BIDS_PER_S = 20_000

/**
 * Bids from a node of this process on an auction whose home is another process, over Grenache RPC: forwarded, decided,
 * on the home's disk, acknowledged; meanwhile the commits come back and are verified and stored here too.
 */
export async function* run(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const seller = await NodeProcess.start({
    home,
    name: 'seller',
    args: ['--grape-port', '0', '--dht-port', '0'],
  })
  const { dhtAddress } = (await seller.api.status()).node
  const bidder = createNode(testSettings({ home, name: 'bidder', bootstrap: dhtAddress ? [dhtAddress] : [] }), {
    logger: silentLogger,
    // It bids for two accounts.
    role: 'gateway',
  })
  try {
    await bidder.start()
    for (const level of LEVELS) yield await measure(seller, bidder, level)
  } finally {
    await bidder.stop()
    await seller.end()
    rmSync(home, { recursive: true, force: true })
  }
}

async function measure(
  seller: NodeProcess,
  bidder: VendueNode,
  { inFlight, bids }: (typeof LEVELS)[number],
): Promise<BenchResult> {
  const deps = { clock: bidder.services.parts.clock, random: bidder.services.parts.random }
  const commandId = newCommandId('cmd', deps)
  const { outcome } = await seller.api.open({
    commandId,
    title: `${inFlight} in flight`,
    currency: 'EUR',
    start: '0.01',
    increment: '0.01',
  })
  const { auctionId } = outcome
  await eventually('the bidder knows the auction', () => bidder.api.show({ auction: auctionId }))
  const router = bidder.services.parts.router
  const bidders = [0, 1].map((i) => ({ id: `acc_bench${i}`, name: `Bidder ${i}` }))
  let accepted = 0
  const { ms, samples } = await load(inFlight, bids, async (i) => {
    const result = await answerTo(
      {
        command: {
          type: 'PlaceBid',
          auctionId,
          commandId: newCommandId('bid', deps),
          bidder: bidders[i % 2] as (typeof bidders)[number],
          kind: 'plain',
          amount: i + 1,
        },
      },
      (submission) => router.enqueue(submission),
    )
    if (!result.ok) throw new Error(`a bid has no outcome: ${result.code} ${result.message}`)
    if (result.outcome.status === 'accepted') accepted++
  })
  const head = (await seller.api.show({ auction: auctionId })).head
  const caughtUpAt = performance.now()
  await eventually(
    'the replica has everything',
    async () => (await bidder.api.show({ auction: auctionId })).head.seq === head.seq,
    60_000,
  )
  return {
    name: `cross-node bids, ${inFlight} in flight`,
    unit: 'accepted bids/s',
    value: Math.round((accepted / ms) * 1000),
    figures: {
      p50_ms: percentile(samples, 0.5),
      p99_ms: percentile(samples, 0.99),
      accepted,
      rejected: bids - accepted,
      replica_behind_ms: performance.now() - caughtUpAt,
    },
    ...(inFlight >= 256 && { target: { atLeast: TARGET_BIDS_PER_S } }),
  }
}

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import { systemClock } from '../src/adapters/system/system-clock.js'
import { systemRandom } from '../src/adapters/system/system-random.js'
import { newCommandId } from '../src/application/log/ids.js'
import { answerTo } from '../src/application/submissions/submission.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchRun } from './bench-result.js'
import { load } from './latency.js'

const AUCTIONS = 20
const BIDS = 40_000
const MOST_BYTES = 300
const IDS = { clock: systemClock, random: systemRandom }

/**
 * What a bid takes of the disk where many auctions are bid on at once, each by one bidder at a time: every bid is a
 * commit of its own, with its hash and its signature, which is the most that it can take.
 */
export async function* run(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const settings = testSettings({ home, name: 'bench' })
  const stopped = async (work: (node: VendueNode) => Promise<void>) => {
    const node = createNode(settings, { logger: silentLogger })
    try {
      await node.start()
      await work(node)
    } finally {
      await node.stop()
    }
    return sizeOf(settings.dataDir)
  }
  try {
    const auctions: string[] = []
    const before = await stopped(async (node) => {
      for (let i = 0; i < AUCTIONS; i++) auctions.push(await open(node, i))
    })
    const after = await stopped((node) => bidOn(node, auctions))
    yield {
      name: `disk that a bid takes, ${AUCTIONS} auctions, a commit for each bid`,
      unit: 'bytes in all files',
      value: (after - before) / BIDS,
      figures: { bids: BIDS, bytes: after },
      target: { atMost: MOST_BYTES },
    }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

async function open(node: VendueNode, i: number): Promise<string> {
  const terms = { title: `Lot ${i}`, currency: 'EUR', start: '0.01', increment: '0.01' }
  return (await node.api.open({ commandId: newCommandId('cmd', IDS), ...terms })).outcome.auctionId
}

async function bidOn(node: VendueNode, auctions: readonly string[]): Promise<void> {
  const { auctionHouse } = node.services.parts
  const bidders = [0, 1].map((i) => ({ id: `acc_bench${i}`, name: `Bidder ${i}` }) as const)
  await load(AUCTIONS, BIDS, async (i) => {
    const nth = Math.floor(i / AUCTIONS)
    const bidder = bidders[nth % 2] as (typeof bidders)[number]
    const common = { type: 'PlaceBid', commandId: newCommandId('bid', IDS), bidder, kind: 'plain' } as const
    const command = { ...common, auctionId: auctions[i % AUCTIONS] as string, amount: nth + 1 }
    const answer = await answerTo({ command }, (submission) => auctionHouse.enqueue(submission))
    if (!answer.ok) throw new Error(`a bid failed: ${JSON.stringify(answer)}`)
  })
}

function sizeOf(directory: string): number {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true })
  return files.reduce((sum, file) => sum + (file.isFile() ? statSync(join(file.parentPath, file.name)).size : 0), 0)
}

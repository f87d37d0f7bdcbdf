import { setTimeout as sleep } from 'node:timers/promises'
import { createNode } from '../../services/node/create-node.js'
import { silentLogger } from '../../test/support/silent-logger.js'
import { testSettings } from '../../test/support/test-settings.js'
import { serveParent } from '../gateway-parts/serve-parent.js'
import { homeBids } from '../home-bids.js'
import { load } from '../latency.js'

/** What the parent asks for: bids at the node "full" of this home directory. */
export interface FullStoreLoad {
  readonly home: string
  /** Over so many of its auctions in turns. */
  readonly auctions: number
  readonly callers: number
  readonly bids: number
}

export interface FullStoreReport {
  readonly startMs: number
  readonly residentBytes: number
  /** Of processor time in a second at rest, from 0 to the number of cores. */
  readonly atRest: number
  /** Processor time, all threads. */
  readonly cpuUsPerBid: number
  readonly bidsPerSecond: number
}

serveParent(run)

const REST_MS = 3_000

async function run({ home, auctions, callers, bids }: FullStoreLoad): Promise<FullStoreReport> {
  const startedAt = performance.now()
  const node = createNode(testSettings({ home, name: 'full' }), { logger: silentLogger })
  try {
    await node.start()
    const startMs = performance.now() - startedAt
    const { auctions: listed } = await node.api.list({ limit: auctions })
    const ids = listed.map(({ auctionId }) => auctionId)
    // Above all that earlier rounds have bid.
    const firstAmount = Date.now() * 10
    const place = homeBids(node)
    const bid = (i: number) =>
      place({
        auctionId: ids[i % ids.length] as string,
        turn: Math.floor(i / ids.length),
        amount: firstAmount + i,
      })
    const warmUp = Math.ceil(bids / 4)
    await load(callers, warmUp, bid)
    await sleep(REST_MS)
    const idle = process.cpuUsage()
    await sleep(REST_MS)
    const { user, system } = process.cpuUsage(idle)
    const residentBytes = process.memoryUsage().rss
    const busy = process.cpuUsage()
    const { ms } = await load(callers, bids, (i) => bid(warmUp + i))
    const used = process.cpuUsage(busy)
    return {
      startMs,
      residentBytes,
      atRest: (user + system) / 1_000 / REST_MS,
      cpuUsPerBid: (used.user + used.system) / bids,
      bidsPerSecond: (bids / ms) * 1_000,
    }
  } finally {
    await node.stop()
  }
}

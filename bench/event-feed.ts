import { systemTimers } from '../src/adapters/system/system-timers.js'
import { AuctionFactsCache } from '../src/application/gateway/auction-facts.js'
import { EventHub } from '../src/application/gateway/event-hub.js'
import { PolledEventFeed } from '../src/application/gateway/polled-event-feed.js'
import { Feed } from '../src/application/log/feed.js'
import { PublishingEventLog } from '../src/application/log/publishing-event-log.js'
import { EventPager } from '../src/application/node/event-pager.js'
import { LocalEventFeed } from '../src/application/node/local-event-feed.js'
import { eventsRequest } from '../src/application/node/request-schemas.js'
import type { OpenedAuction } from '../src/domain/auction.js'
import type { BidPlaced } from '../src/domain/events.js'
import type { NodeApi } from '../src/ports/node/node-api.js'
import type { EventLog } from '../src/ports/store/event-log.js'
import { given } from '../test/support/auction-scenario.js'
import { silentLogger } from '../test/support/silent-logger.js'
import type { BenchRun } from './bench-result.js'

const AUCTION = `auc_${'0'.repeat(26)}`
const COMMITS = 10_000
const ROUNDS = 4
const LISTENERS = [0, 1] as const
const EVENTS_PER_COMMIT = [1, 20] as const

type Kind = 'pushed' | 'asked' | 'none'

/**
 * What a gateway's thread spends on each event of its own node until its listeners have it: pushed, and as it was
 * before, asked for page by page with cursors. Nothing is stored; what publishing alone costs is taken off.
 */
export async function* run(): BenchRun {
  for (const perCommit of EVENTS_PER_COMMIT)
    for (const listeners of LISTENERS) {
      const rounds: { pushed: number; asked: number }[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const none = await spent('none', { perCommit, listeners })
        const pushed = (await spent('pushed', { perCommit, listeners })) - none
        const asked = (await spent('asked', { perCommit, listeners })) - none
        rounds.push({ pushed, asked })
      }
      // The first warms the compiler up; the one in the middle of the others counts.
      const [, ...warm] = rounds
      warm.sort((a, b) => a.pushed / a.asked - b.pushed / b.asked)
      const { pushed, asked } = warm[warm.length >> 1] as (typeof rounds)[number]
      yield {
        name: `CPU of a gateway for an event of its own node, ${perCommit} a commit, ${listeners === 0 ? 'nobody' : 'somebody'} listens`,
        unit: 'of asking for it',
        value: pushed / asked,
        figures: { pushed_us: pushed, asked_us: asked },
        target: { atMost: 1 },
      }
    }
}

/** Microseconds of CPU for each event. */
async function spent(kind: Kind, { perCommit, listeners }: { perCommit: number; listeners: number }): Promise<number> {
  let position = 0
  const eventLog = new PublishingEventLog({
    append: async () => ++position,
    position: async () => position,
    // Only asked for before the first.
    readAfter: async () => [],
  } as unknown as EventLog)
  const feed = new Feed({ eventLog })
  const among = async () => new Set<string>()
  const deps = { eventLog, feed, breaches: { among }, equivocations: { among } }
  const pager = new EventPager({
    ...deps,
    timers: systemTimers,
    auctionViews: { resolve: async () => Promise.reject(new Error('not asked')) },
  })
  const { auction } = given()
  const api = {
    events: async (request: unknown) => pager.next(eventsRequest.parse(request)),
    show: async () => ({ auctionId: AUCTION, state: auction }),
    history: async () => Promise.reject(new Error('not asked')),
  } as unknown as NodeApi
  let heard = 0
  const metrics = { events: (count: number) => (heard += count), feed: { observe: () => {} } } as never
  const hub = new EventHub({
    api,
    facts: new AuctionFactsCache({ api }),
    feed: kind === 'pushed' ? new LocalEventFeed(deps) : new PolledEventFeed({ api }),
    logger: silentLogger,
    metrics,
  })
  if (listeners > 0) hub.listen(AUCTION, (message) => message.text)
  if (kind !== 'none') await hub.start()
  const before = process.cpuUsage()
  for (let i = 0; i < COMMITS; i++) {
    const events = Array.from({ length: perCommit }, (_, n) => bidAt(i * perCommit + n))
    const firstSeq = 2 + i * perCommit
    const commit = { auctionId: AUCTION, firstSeq, lastSeq: firstSeq + perCommit - 1 } as never
    await eventLog.append({ commit, prevHash: null, events, state: auction as OpenedAuction })
    await new Promise((resolve) => setImmediate(resolve))
  }
  const total = COMMITS * perCommit
  while (kind !== 'none' && heard < total) await new Promise((resolve) => setImmediate(resolve))
  const { user, system } = process.cpuUsage(before)
  hub.stop()
  feed.stop()
  return (user + system) / total
}

function bidAt(n: number): BidPlaced {
  const bidder = { id: `node_${n % 2}`, name: `Bidder ${n % 2}` }
  return {
    type: 'BidPlaced',
    at: 1_800_000_000_000 + n,
    bidId: `bid_${n}`,
    bidder,
    amount: 7_500 + n,
    commitment: null,
    price: 7_500 + n,
    leads: true,
    reserveMet: true,
  }
}

import { expect } from 'chai'
import { AuctionFactsCache } from '../../../src/application/gateway/auction-facts.js'
import { EventHub } from '../../../src/application/gateway/event-hub.js'
import { PolledEventFeed } from '../../../src/application/gateway/polled-event-feed.js'
import type { EventMessage } from '../../../src/application/gateway/public-events.js'
import type { FeedItem } from '../../../src/ports/node/node-answers.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import type { EventsRequest } from '../../../src/ports/node/node-requests.js'
import { given } from '../../support/auction-scenario.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'

const GOOD = `auc_${'0'.repeat(26)}`
const BAD = `auc_${'1'.repeat(26)}`

describe('who hears all events of a gateway', () => {
  const { auction } = given()
  const item = (auctionId: string, position: number): FeedItem => ({
    auctionId,
    seq: 1,
    event: { type: 'AuctionStarted', at: position },
    disputed: false,
    cursor: `p${position}.0`,
  })

  /** What a listener hears of these pages. Of the auction BAD the node cannot tell what is needed to show it. */
  async function heard(pages: FeedItem[][], error: Error, times = Number.POSITIVE_INFINITY) {
    let left = times
    let page = -1
    const api = {
      events: async ({ cursor }: EventsRequest) => {
        if (cursor === undefined) return { items: [], cursor: 'p0.0' }
        page = cursor === 'p0.0' ? 0 : Number(cursor.slice(1).split('.')[0])
        const items = pages[page] ?? []
        return { items, cursor: items.at(-1)?.cursor ?? cursor }
      },
      history: async () => Promise.reject(new Error('not asked')),
      show: async ({ auction: auctionId }: { auction: string }) => {
        if (auctionId === BAD && left-- > 0) throw error
        return { auctionId, state: auction } as never
      },
    }
    const metrics = { events: () => {}, feed: { observe: () => {} } } as never
    const facts = new AuctionFactsCache({ api })
    const feed = new PolledEventFeed({ api })
    const hub = new EventHub({ api, facts, feed, logger: silentLogger, metrics })
    const messages: EventMessage[] = []
    hub.listen(null, ({ body }) => messages.push(body))
    await hub.start()
    await eventually('the good auction is heard', () => messages.some(({ auction_id }) => auction_id === GOOD))
    hub.stop()
    return messages.map(({ auction_id, timestamp }) => [auction_id, timestamp])
  }

  it('hear the rest where one cannot be shown', async () => {
    const broken = new TypeError('terms is undefined')
    expect(await heard([[item(BAD, 1), item(GOOD, 1)]], broken)).to.deep.equal([[GOOD, '1970-01-01T00:00:00.001Z']])
    const unknown = new NodeError('INTERNAL', 'this node cannot read it')
    expect(await heard([[item(BAD, 1), item(GOOD, 1)]], unknown)).to.have.length(1)
  })

  it('hear an event dated past all calendars, with the last time there is', async () => {
    const late = { ...item(GOOD, 1), event: { type: 'AuctionStarted', at: 9e15 } as const }
    expect(await heard([[late]], new Error('not used'))).to.deep.equal([[GOOD, '9999-12-31T23:59:59.999Z']])
  })

  it('miss nothing where the node was only away for a moment', async () => {
    const away = new NodeError('NODE_UNREACHABLE', 'away')
    expect(await heard([[item(BAD, 1), item(GOOD, 1)]], away, 1)).to.have.length(2)
  })
})

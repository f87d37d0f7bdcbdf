import { expect } from 'chai'
import { describeEvent, paintEvent } from '../../../../src/adapters/cli/render/describe-event.js'
import { makePaint } from '../../../../src/adapters/cli/render/look.js'
import { feedItemJson } from '../../../../src/application/gateway/json-shapes.js'
import type { AuctionEvent } from '../../../../src/domain/events.js'
import { ALICE, BOB, MINUTE, SELLER, T0, termsWith, USD } from '../../../support/auction-scenario.js'
import { TEST_MESH } from '../../../support/memory-members.js'

const look = { paint: makePaint(false), timeZone: 'Europe/Berlin', columns: 100, now: () => T0 }

function item(event: AuctionEvent, title = 'Pic#1') {
  return {
    auctionId: 'auc_7k2m0000000000000000000000',
    seq: 3,
    event,
    title,
    currency: USD,
    seller: 'Seller',
    disputed: false,
  }
}

function told(
  event: AuctionEvent,
  { selfId = null as string | null, ledBy = null as string | null, title = 'Pic#1' } = {},
) {
  const { text, tone } = describeEvent(item(event, title), { look, shortId: 'auc_7k2m', selfId, ledBy })
  return tone === 'plain' ? text : `${tone}: ${text}`
}

const bid = {
  type: 'BidPlaced',
  at: T0,
  bidId: 'bid_1',
  bidder: BOB,
  amount: 8_000,
  commitment: null,
  price: 8_000,
  leads: true,
  reserveMet: true,
} as const
const max = { ...bid, amount: null, commitment: 'c', price: 7_600 } as const
const closed = { type: 'AuctionClosed', at: T0, by: 'seller', commandId: 'cmd_1', reserve: null } as const
const sold = { ...closed, result: { sold: true, winner: BOB, bidId: 'bid_1', price: 8_000 } } as const
const lot = 'Pic#1 (auc_7k2m)'

const opened: AuctionEvent = {
  type: 'AuctionOpened',
  at: T0,
  commandId: 'cmd_1',
  meshId: TEST_MESH,
  seller: SELLER,
  home: { nodeId: SELLER.id, publicKey: 'key' },
  terms: termsWith({ closesAt: T0 + 9 * MINUTE }),
}

const LINES: readonly (readonly [AuctionEvent, string])[] = [
  [opened, `Seller opened ${lot} at 75.00 USD, ends 13:09:00 CET (in 9 min)`],
  [{ type: 'AuctionStarted', at: T0 }, `bidding on ${lot} has begun`],
  [bid, `Bob bid 80.00 USD on ${lot} and leads at 80.00 USD`],
  [{ ...bid, reserveMet: false }, `Bob bid 80.00 USD on ${lot} and leads at 80.00 USD, reserve not met`],
  [
    { ...bid, leads: false, price: 8_100 },
    `Bob bid 80.00 USD on ${lot}: the leader's maximum answered at once, now 81.00 USD`,
  ],
  [max, `Bob bid a secret maximum on ${lot} and leads at 76.00 USD`],
  [
    {
      type: 'MaxBidChanged',
      at: T0,
      bidId: 'bid_2',
      bidder: BOB,
      commitment: 'c',
      price: 7_600,
      reserveMet: true,
    },
    `Bob changed the maximum on ${lot}, still leading at 76.00 USD`,
  ],
  [
    { type: 'LotBoughtNow', at: T0, bidId: 'bid_2', bidder: BOB, price: 20_000 },
    `Bob bought ${lot} for 200.00 USD`,
  ],
  [
    {
      type: 'AuctionExtended',
      at: T0,
      closesAt: T0 + MINUTE,
      by: 'soft-close',
      since: null,
      commandId: null,
    },
    `${lot} extended by a late bid: now ends 13:01:00 CET (in 1 min)`,
  ],
  [
    { type: 'AuctionExtended', at: T0, closesAt: T0 + MINUTE, by: 'seller', since: null, commandId: 'cmd_1' },
    `${lot} extended by the seller: now ends 13:01:00 CET (in 1 min)`,
  ],
  [sold, `${lot} is closed: won by Bob at 80.00 USD`],
  [{ ...closed, result: { sold: false, reason: 'no-bids' } }, `${lot} is closed: not sold: no bids`],
  [
    { ...closed, result: { sold: false, reason: 'reserve-not-met' } },
    `${lot} is closed: not sold: the reserve was not met`,
  ],
  [
    { type: 'MaximaRevealed', at: T0, maxima: [{ bidId: 'bid_1', amount: 9_000, salt: 's' }] },
    `1 secret maximum on ${lot} revealed`,
  ],
  [
    { type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: 'broken' },
    `${lot} was cancelled: broken`,
  ],
  [{ type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: '' }, `${lot} was cancelled`],
]

describe('describing events', () => {
  for (const [event, line] of LINES) it(`says: ${line}`, () => expect(told(event)).to.equal(line))

  it('speaks to the user whom it concerns', () => {
    expect(told(bid, { selfId: BOB.id })).to.equal(`good: you bid 80.00 USD on ${lot} and lead at 80.00 USD`)
    expect(told(bid, { selfId: ALICE.id, ledBy: ALICE.id })).to.equal(
      `bad: outbid on ${lot}: Bob leads at 80.00 USD`,
    )
    expect(told(sold, { selfId: BOB.id })).to.equal(`good: you won ${lot} at 80.00 USD`)
    expect(told({ ...bid, leads: false }, { selfId: BOB.id })).to.match(/^bad: you bid/)
  })

  it('makes what concerns the user stand out', () => {
    const painted = paintEvent({ text: 'outbid', tone: 'bad' }, { ...look, paint: makePaint(true) })
    expect(painted).to.equal('\u001b[1m\u001b[31moutbid\u001b[39m\u001b[22m')
  })

  it('passes no control characters of others on', () => {
    const evil = 'x\u001b[2J\u202e'
    const all = LINES.map(([event]) => told(event, { title: evil })).join('')
    const named = told({ ...bid, bidder: { id: 'node_x', name: evil } })
    const reason = told({ type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: evil })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(all + named + reason).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it('gives programs snake_case keys, decimal amounts with their currency, and times in UTC', () => {
    expect(feedItemJson(item(bid))).to.deep.equal({
      auction_id: 'auc_7k2m0000000000000000000000',
      seq: 3,
      type: 'BidPlaced',
      at: '2030-01-01T12:00:00.000Z',
      title: 'Pic#1',
      seller: 'Seller',
      currency: 'USD',
      disputed: false,
      bid_id: 'bid_1',
      bidder: { id: 'node_bob', name: 'Bob' },
      amount: '80.00',
      commitment: null,
      price: '80.00',
      leads: true,
      reserve_met: true,
    })
  })

  for (const [event] of LINES) {
    it(`has JSON without minor units or milliseconds for ${event.type}`, () => {
      const text = JSON.stringify(feedItemJson(item(event)))
      expect(JSON.parse(text)).to.include({ type: event.type, currency: 'USD' })
      expect(text).not.to.match(/\d{12,}[,}]/)
      expect(text).not.to.match(/"[a-z]+[A-Z][A-Za-z]*":/)
    })
  }
})

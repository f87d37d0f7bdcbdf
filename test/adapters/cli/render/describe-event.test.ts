import { expect } from 'chai'
import { describeEvent, paintEvent } from '../../../../src/adapters/cli/render/describe-event.js'
import { makePaint } from '../../../../src/adapters/cli/render/look.js'
import { AuctionFactsCache } from '../../../../src/application/gateway/auction-facts.js'
import { EventMaker } from '../../../../src/application/gateway/event-maker.js'
import { type EventMessage, eventMessages } from '../../../../src/application/gateway/public-events.js'
import type { AuctionEvent } from '../../../../src/domain/events.js'
import type { AuctionView, HistoryPage } from '../../../../src/ports/node/node-answers.js'
import { ALICE, BOB, MINUTE, SELLER, T0, termsWith } from '../../../support/auction-scenario.js'
import { TEST_MESH } from '../../../support/memory-members.js'

const look = { paint: makePaint(false), timeZone: 'Europe/Berlin', columns: 100, now: () => T0 }

const terms = termsWith({ closesAt: T0 + 9 * MINUTE })

/** As everybody hears it, of an auction that SELLER has opened. */
async function heard(event: AuctionEvent, title = 'Pic#1'): Promise<EventMessage> {
  const auctionId = 'auc_7k2m0000000000000000000000'
  const state = { terms: { ...terms, title }, seller: SELLER, home: { nodeId: SELLER.id, publicKey: 'key' } }
  const api = {
    show: async () => ({ auctionId, state }) as AuctionView,
    history: async () => ({ bids: [{ leads: true, bidder: ALICE }], next: null }) as unknown as HistoryPage,
  }
  const maker = new EventMaker({
    api,
    facts: new AuctionFactsCache({ api }),
    unshown: (_, error) => {
      throw error
    },
  })
  const titled = event.type === 'AuctionOpened' ? { ...event, terms: { ...event.terms, title } } : event
  return (await maker.of({ auctionId, seq: 3, event: titled, disputed: false })) as EventMessage
}

async function told(
  event: AuctionEvent,
  { selfId = null as string | null, ledBy = null as string | null, title = 'Pic#1' } = {},
) {
  const options = { look, shortId: 'auc_7k2m', selfId, ledBy }
  const { text, tone } = describeEvent(await heard(event, title), options)
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
  cluster: null,
  terms,
}

const home = { nodeId: SELLER.id, publicKey: 'key' }
const next = { nodeId: 'node_next', publicKey: 'key' }
const taken = {
  type: 'AuctionTakenOver',
  at: T0,
  from: home,
  to: next,
  why: 'home-dead',
  since: T0 - 4_000,
  keys: [],
  clusterSignature: 'signature',
} as const

const LINES: readonly (readonly [AuctionEvent, string])[] = [
  [taken, `${lot} has a new home: node_next, which has taken it over: the node before was not heard of any more`],
  [
    { ...taken, why: 'home-left' },
    `${lot} has a new home: node_next, which has taken it over: the node before has left the cluster`,
  ],
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
  [{ type: 'LotBoughtNow', at: T0, bidId: 'bid_2', bidder: BOB, price: 20_000 }, `Bob bought ${lot} for 200.00 USD`],
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
  [{ type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: 'broken' }, `${lot} was cancelled: broken`],
  [{ type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: '' }, `${lot} was cancelled`],
]

describe('describing events', () => {
  for (const [event, line] of LINES) it(`says: ${line}`, async () => expect(await told(event)).to.equal(line))

  it('speaks to the user whom it concerns', async () => {
    expect(await told(bid, { selfId: BOB.id })).to.equal(`good: you bid 80.00 USD on ${lot} and lead at 80.00 USD`)
    expect(await told(bid, { selfId: ALICE.id, ledBy: ALICE.id })).to.equal(
      `bad: outbid on ${lot}: Bob leads at 80.00 USD`,
    )
    expect(await told(sold, { selfId: BOB.id })).to.equal(`good: you won ${lot} at 80.00 USD`)
    expect(await told({ ...bid, leads: false }, { selfId: BOB.id })).to.match(/^bad: you bid/)
  })

  it('makes what concerns the user stand out', () => {
    const painted = paintEvent({ text: 'outbid', tone: 'bad' }, { ...look, paint: makePaint(true) })
    expect(painted).to.equal('\u001b[1m\u001b[31moutbid\u001b[39m\u001b[22m')
  })

  it('passes no control characters of others on', async () => {
    const evil = 'x\u001b[2J\u202e'
    const all = (await Promise.all(LINES.map(([event]) => told(event, { title: evil })))).join('')
    const named = await told({ ...bid, bidder: { id: 'node_x', name: evil } })
    const reason = await told({ type: 'AuctionCancelled', at: T0, commandId: 'cmd_1', reason: evil })
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(all + named + reason).not.to.match(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  it('gives programs snake_case keys, decimal amounts with their currency, and times in UTC', async () => {
    expect(await heard(bid)).to.deep.equal({
      type: 'bid_placed',
      auction_id: 'auc_7k2m0000000000000000000000',
      seq: 3,
      timestamp: '2030-01-01T12:00:00.000Z',
      title: 'Pic#1',
      currency: 'USD',
      disputed: false,
      price: '80.00',
      leader: { id: 'node_bob', name: 'Bob' },
      minimum: '81.00',
      reserve_met: true,
      bid_id: 'bid_1',
      bidder: { id: 'node_bob', name: 'Bob' },
      kind: 'plain',
      amount: '80.00',
      leads: true,
    })
  })

  for (const [event] of LINES) {
    it(`has JSON as documented, without minor units or milliseconds, for ${event.type}`, async () => {
      const message = await heard(event)
      expect(eventMessages[message.type].parse(message)).to.deep.equal(message)
      expect(JSON.stringify(message)).not.to.match(/\d{12,}[,}]/)
    })
  }
})

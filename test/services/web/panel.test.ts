import { expect } from 'chai'
import {
  isBuyOnly,
  type Panel,
  type PanelFacts,
  panelOf,
  prefill,
  takesBids,
} from '../../../services/gateway/web/model/panel.js'
import { panelWords, tabTitle } from '../../../services/gateway/web/model/panel-words.js'
import { lotWith, NOW, SPEECH } from './lots.js'

const FACTS: PanelFacts = {
  lot: lotWith(),
  visitor: 'bidder',
  nowMs: NOW,
  reach: { kind: 'live' },
  pending: null,
  lostToTie: false,
  isMoving: false,
}
const panelWith = (facts: Partial<PanelFacts>): Panel => panelOf({ ...FACTS, ...facts })
const wordsOf = (facts: Partial<PanelFacts>): string => panelWords(panelWith(facts), SPEECH).headline
const lost = { kind: 'lost', forMs: 1_500, asOfMs: NOW - 1_500, http: false } as const
const sold = { kind: 'sold', price: '81.00', winnerName: 'Kim' } as const

/** From the highest: what makes it so, on top of whatever is below it. */
const LADDER: readonly (readonly [Panel['kind'], (facts: PanelFacts) => PanelFacts])[] = [
  ['over', (facts) => ({ ...facts, lot: { ...facts.lot, ending: sold, status: 'closed' } })],
  ['disputed', (facts) => ({ ...facts, lot: { ...facts.lot, disputed: true } })],
  ['closing', (facts) => ({ ...facts, lot: { ...facts.lot, closesAtMs: NOW } })],
  ['moving', (facts) => ({ ...facts, isMoving: true })],
  [
    'home-away',
    (facts) => ({ ...facts, lot: { ...facts.lot, home: { name: 'node', state: 'dead', inCluster: false } } }),
  ],
  ['disconnected', (facts) => ({ ...facts, reach: lost })],
  ['unknown', (facts) => ({ ...facts, pending: { kind: 'unknown', amount: '78.50' } })],
  ['not-eligible', (facts) => ({ ...facts, visitor: 'nobody' })],
  ['sending', (facts) => ({ ...facts, pending: facts.pending ?? { kind: 'sending', amount: '78.50', forMs: 10 } })],
  ['leading', (facts) => ({ ...facts, lot: { ...facts.lot, you: 'leading' } })],
  ['outbid', (facts) => ({ ...facts, lot: { ...facts.lot, you: facts.lot.you ?? 'outbid' } })],
  ['open', (facts) => facts],
]

describe('the bidding panel', () => {
  describe('shows the highest state that applies, whatever else is true:', () => {
    for (const [index, [kind]] of LADDER.entries()) {
      it(kind, () => {
        // All the states below it hold as well.
        const all = LADDER.slice(index).reduce((facts, [, hold]) => hold(facts), FACTS)
        expect(panelOf(all).kind).to.equal(kind)
        // And none of those below takes its place once it is gone but the next one that holds.
        for (const [other, hold] of LADDER.slice(index + 1)) {
          const two = (LADDER[index] as (typeof LADDER)[number])[1](hold(FACTS))
          expect(panelOf(two).kind, `${kind} above ${other}`).to.equal(kind)
        }
      })
    }
  })

  it('waits for the result of an auction that has ended for the gateway, whatever the browser’s clock says', () => {
    const lot = lotWith({ status: 'ended', closesAtMs: NOW + 60_000 })
    expect(panelWith({ lot }).kind).to.equal('closing')
  })

  it('offers only to buy where the lot costs no more than the next bid would', () => {
    const bidding = lotWith({ minimum: '78.50', buyNow: '90.00' })
    expect([isBuyOnly(bidding), prefill(bidding)]).to.deep.equal([false, '78.50'])
    const buying = lotWith({ minimum: null, buyNow: '75.00', startPrice: '75.00' })
    expect([isBuyOnly(buying), prefill(buying)]).to.deep.equal([true, '75.00'])
    expect(panelWith({ lot: { ...buying, you: 'outbid' } })).to.include({ kind: 'outbid', next: '75.00' })
    expect(isBuyOnly({ ...buying, you: 'leading' })).to.equal(false)
    expect(isBuyOnly({ ...buying, buyNow: null })).to.equal(false)
  })

  it('lets bids be sent while the auction moves to another node, one at a time, and says that they are not placed', () => {
    const moving = (facts: Partial<PanelFacts> = {}) => panelWith({ isMoving: true, ...facts })
    // Its home is away, and will not be waited for.
    const home = { name: 'node', state: 'dead', inCluster: true }
    expect(panelWith({ lot: lotWith({ home }) })).to.include({ kind: 'moving', canBid: true })
    expect(takesBids(moving())).to.equal(true)
    expect(takesBids(moving({ visitor: 'nobody' }))).to.equal(false)
    const sending = { kind: 'sending', amount: '78.50', forMs: 10 } as const
    expect(takesBids(moving({ pending: sending }))).to.equal(false)
    expect(wordsOf({ isMoving: true, pending: sending })).to.equal(
      'Moving to another node; your bid of 78.50 EUR is not placed yet',
    )
    const unknown = panelWords(moving({ pending: { kind: 'unknown', amount: '78.50' } }), SPEECH)
    expect(unknown.headline).to.contain('is moving to another node')
    expect(unknown.detail).to.contain('We don’t know yet whether 78.50 EUR was placed')
  })

  it('says how it ended', () => {
    const over = (part: Parameters<typeof lotWith>[0]) => wordsOf({ lot: lotWith({ status: 'closed', ...part }) })
    expect(over({ ending: { ...sold, price: '78.50' }, you: 'won' })).to.equal('You won at 78.50 EUR')
    expect(over({ ending: sold, you: 'lost' })).to.equal('Sold for 81.00 EUR, not to you')
    expect(over({ ending: sold })).to.equal('Sold for 81.00 EUR')
    expect(over({ ending: { kind: 'not-sold', reason: 'reserve-not-met' } })).to.equal('Not sold: reserve not met')
    expect(over({ ending: { kind: 'not-sold', reason: 'no-bids' } })).to.equal('Not sold: no bids')
    const cancelled = (by: 'seller' | 'home', reason: string) => over({ ending: { kind: 'cancelled', by, reason } })
    expect(cancelled('seller', 'broken')).to.equal('Cancelled: broken')
    expect(cancelled('seller', '')).to.equal('Cancelled by the seller')
    expect(cancelled('home', 'disk lost')).to.equal('Given up by its home: disk lost')
    expect(cancelled('home', '')).to.equal('Given up by its home: nobody has won')
  })

  it('warns of a result whose home signed two histories', () => {
    const panel = panelWith({ lot: lotWith({ ending: sold, disputed: true, you: 'won' }) })
    const words = panelWords(panel, SPEECH)
    expect(words.detail).to.equal('The home signed two histories. Do not rely on this result.')
    expect(words.tone).to.equal('bad')
  })

  it('never says that an auction is over before its home has said so', () => {
    expect(wordsOf({ nowMs: NOW + 120_000 })).to.equal('Closing… waiting for the result')
    expect(takesBids(panelWith({ nowMs: NOW + 120_000 }))).to.equal(false)
    expect(panelWith({ nowMs: NOW + 119_999 }).kind).to.equal('open')
    expect(panelWith({ nowMs: NOW + 1e9, lot: lotWith({ closesAtMs: null }) }).kind).to.equal('open')
  })

  it('says that a home is away, and takes no bids then', () => {
    const facts = { lot: lotWith({ home: { name: 'node', state: 'dead', inCluster: false } }) }
    expect(wordsOf(facts)).to.equal(
      'The auction’s node is away; nothing is lost. Bids are taken again when it is back.',
    )
    expect(takesBids(panelWith(facts))).to.equal(false)
    expect(panelWith({ lot: lotWith({ home: { name: 'node', state: 'suspect', inCluster: false } }) }).kind).to.equal(
      'open',
    )
  })

  it('says nothing of a lost connection for a second, then dates the price', () => {
    expect(panelWith({ reach: { ...lost, forMs: 900 } }).kind).to.equal('open')
    expect(wordsOf({ reach: lost })).to.equal('Reconnecting… price as of 18:59:58')
    expect(takesBids(panelWith({ reach: lost }))).to.equal(false)
  })

  it('takes bids by HTTP while nothing is live, from whoever may bid and has none on its way', () => {
    const reach = { ...lost, http: true }
    expect(takesBids(panelWith({ reach }))).to.equal(true)
    expect(takesBids(panelWith({ reach, visitor: 'nobody' }))).to.equal(false)
    expect(takesBids(panelWith({ reach, pending: { kind: 'unknown', amount: '80.00' } }))).to.equal(false)
  })

  it('says of a bid that it is not known what became of it, connected or not', () => {
    const pending = { kind: 'unknown', amount: '78.50' } as const
    expect(wordsOf({ pending })).to.equal('We don’t know yet whether 78.50 EUR was placed. Checking…')
    expect(panelWords(panelWith({ pending, reach: lost }), SPEECH).detail).to.equal(
      'We don’t know yet whether 78.50 EUR was placed. Checking…',
    )
    expect(takesBids(panelWith({ pending }))).to.equal(false)
  })

  it('says what keeps a visitor from bidding', () => {
    expect(wordsOf({ visitor: 'nobody' })).to.equal('Log in to bid')
    expect(panelWords(panelWith({ visitor: 'nobody' }), SPEECH, true).headline).to.equal('Say who you are to bid')
    expect(wordsOf({ visitor: 'reader' })).to.equal('This account may look, but not bid')
    expect(wordsOf({ lot: lotWith({ you: 'seller' }) })).to.equal('This is your own auction')
    const opensAtMs = NOW + 3_600_000
    const closesAtMs = NOW + 7_200_000
    expect(wordsOf({ lot: lotWith({ status: 'scheduled', opensAtMs, closesAtMs }) })).to.match(
      /^Not open yet: opens Tue,? 1 Jan,? 20:00:00 (CET|GMT\+1)$/,
    )
  })

  it('says that an answer is late after three seconds', () => {
    expect(wordsOf({ pending: { kind: 'sending', amount: '78.50', forMs: 2_900 } })).to.equal('Placing 78.50 EUR…')
    expect(wordsOf({ pending: { kind: 'sending', amount: '78.50', forMs: 3_100 } })).to.equal(
      'Still not confirmed: 78.50 EUR',
    )
  })

  it('says how the visitor stands', () => {
    expect(wordsOf({ lot: lotWith({ you: 'leading', price: '76.00' }) })).to.equal('You lead at 76.00 EUR')
    expect(wordsOf({ lot: lotWith({ you: 'leading', hasReserve: true, reserveMet: false }) })).to.equal(
      'You lead, but the reserve is not met',
    )
    expect(wordsOf({ lot: lotWith({ you: 'outbid', price: '79.00' }) })).to.equal('Outbid at 79.00 EUR')
    expect(wordsOf({ lot: lotWith({ you: 'outbid' }), lostToTie: true })).to.equal(
      'Outbid: an equal maximum came first',
    )
    expect(panelWith({ lot: lotWith({ price: null, minimum: '75.00' }) })).to.deep.equal({
      kind: 'open',
      next: '75.00',
    })
  })

  it('puts the time, the price and the standing into the tab’s title', () => {
    expect(tabTitle('1:05', '78.50 EUR', 'You lead', 'Chair')).to.equal('1:05 · 78.50 EUR · You lead · Chair')
    expect(tabTitle(null, '78.50 EUR', null, 'Chair')).to.equal('78.50 EUR · Chair')
  })
})

import { expect } from 'chai'
import { afterEvent, lotOf } from '../../../services/gateway/web/model/lot.js'
import type { Auction, EventMessage, EventOf } from '../../../src/client/messages.js'
import { lotWith, NOW } from './lots.js'

const base = (seq: number) => ({
  auction_id: 'auc_1',
  seq,
  timestamp: new Date(NOW).toISOString(),
  title: 'Chair',
  currency: 'EUR',
  disputed: false,
})
const bid = (seq: number, bidder: string, more: Partial<EventOf<'bid_placed'>> = {}) =>
  ({
    type: 'bid_placed',
    ...base(seq),
    price: '79.00',
    leader: { id: bidder, name: bidder },
    minimum: '79.50',
    reserve_met: true,
    bid_id: `bid_${seq}`,
    bidder: { id: bidder, name: bidder },
    kind: 'plain',
    amount: '79.00',
    leads: true,
    ...more,
  }) as EventMessage
const ended = (seq: number, winner: string) =>
  ({
    type: 'auction_closed',
    ...base(seq),
    by: 'end-time',
    result: { sold: true, winner: { id: winner, name: winner }, price: '79.00', bid_id: 'bid_6' },
  }) as EventMessage

const RESOURCE = {
  auction_id: 'auc_1',
  seq: 5,
  title: 'Chair',
  leader: null,
  seller: { id: 'sam', name: 'Sam' },
  home: { node_id: 'node_sam', public_key: 'key', state: 'alive' },
  opened_at: new Date(NOW).toISOString(),
  opens_at: null,
  closes_at: new Date(NOW).toISOString(),
  closed_at: null,
  cancelled_at: null,
  soft_close: null,
}

describe('an auction in the page', () => {
  it('has the visitor lead by their own bid, and outbid by another’s', () => {
    const led = afterEvent(lotWith(), bid(6, 'mia'))
    expect(led).to.include({ you: 'leading', price: '79.00', minimum: '79.50', bidCount: 4, seq: 6 })
    expect(afterEvent(led, bid(7, 'kim')).you).to.equal('outbid')
  })

  it('has no standing for those who only look', () => {
    expect(afterEvent(lotWith(), bid(6, 'kim')).you).to.equal(null)
    expect(afterEvent(lotWith(), ended(6, 'kim')).you).to.equal(null)
  })

  it('has a bid that a maximum answered outbid at once', () => {
    const after = afterEvent(lotWith(), bid(6, 'mia', { leads: false, leader: { id: 'kim', name: 'kim' } }))
    expect(after.you).to.equal('outbid')
  })

  it('knows the visitor behind a pseudonym by the bids made here', () => {
    const own = new Set(['bid_6'])
    const led = afterEvent(lotWith(), bid(6, 'bidder-7'), own)
    expect(led.you).to.equal('leading')
    expect(afterEvent(led, ended(7, 'bidder-7')).you).to.equal('won')
  })

  it('takes no event twice, nor one that is older than what is known', () => {
    const led = afterEvent(lotWith(), bid(6, 'mia'))
    expect(afterEvent(led, bid(6, 'kim'))).to.equal(led)
    expect(afterEvent(led, bid(5, 'kim'))).to.equal(led)
  })

  it('distinguishes a win from a loss, and keeps a seller a seller', () => {
    const led = afterEvent(lotWith(), bid(6, 'mia'))
    expect(afterEvent(led, ended(7, 'mia')).you).to.equal('won')
    expect(afterEvent(afterEvent(led, bid(7, 'kim')), ended(8, 'kim')).you).to.equal('lost')
    const own = lotWith({ you: 'seller' })
    expect(afterEvent(afterEvent(own, bid(6, 'kim')), ended(7, 'kim')).you).to.equal('seller')
  })

  it('moves its end where a bid or the seller extends it, and says which', () => {
    const closes_at = new Date(NOW + 150_000).toISOString()
    const event = {
      type: 'auction_extended',
      ...base(6),
      closes_at,
      by: 'soft-close',
    }
    const after = afterEvent(lotWith(), event as EventMessage)
    expect(after.closesAtMs).to.equal(NOW + 150_000)
    expect(after.extension).to.deep.equal({ closesAtMs: NOW + 150_000, atMs: NOW, by: 'soft-close', seq: 6 })
  })

  it('has ended where the gateway says so, and is open again where its home gives time back or takes a bid', () => {
    const auction = { ...RESOURCE, status: 'ended' } as Auction
    const waits = lotOf(auction, 'mia')
    expect(waits.status).to.equal('ended')
    const closes_at = new Date(NOW + 150_000).toISOString()
    const extended = { type: 'auction_extended', ...base(6), closes_at, by: 'outage', since: null }
    expect(afterEvent(waits, extended as EventMessage).status).to.equal('open')
    expect(afterEvent(waits, bid(6, 'kim')).status).to.equal('open')
    expect(afterEvent(waits, ended(6, 'kim')).status).to.equal('closed')
  })

  it('can be bought at once until a bid is placed, or until its reserve is met', () => {
    const buyable = lotWith({ buyNow: '200.00' })
    expect(afterEvent(buyable, bid(6, 'kim')).buyNow).to.equal(null)
    const reserved = lotWith({ buyNow: '200.00', hasReserve: true, reserveMet: false })
    expect(afterEvent(reserved, bid(6, 'kim', { reserve_met: false })).buyNow).to.equal('200.00')
    expect(afterEvent(reserved, bid(6, 'kim')).buyNow).to.equal(null)
  })
})

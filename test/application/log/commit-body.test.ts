import { expect } from 'chai'
import fc from 'fast-check'
import { BodyError, readBody, writeBody } from '../../../src/application/log/commit-body.js'
import { eventsOf, readBodyAgain } from '../../../src/application/log/written-body.js'
import type { AuctionEvent, BidPlaced } from '../../../src/domain/events.js'
import { MAX_PARTY_NAME_LENGTH, MAX_SEQ, MAX_TIME, nameProblem } from '../../../src/domain/limits.js'
import { LongAuction } from '../../support/long-auction.js'

const HASH = 'a'.repeat(64)
const DIGEST = `${'D'.repeat(42)}A`
const SIGNATURE = `${'s'.repeat(85)}A`

const id = fc.stringMatching(/^[A-Za-z0-9_.:-]{1,96}$/)
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => nameProblem(text, MAX_PARTY_NAME_LENGTH) === null)
const minor = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const party = fc.record({ id, name })
const bid = fc
  .record({
    at: fc.nat(),
    bidId: id,
    bidder: party,
    offer: fc.oneof(minor, fc.constant(HASH)),
    price: minor,
    leads: fc.boolean(),
    reserveMet: fc.boolean(),
  })
  .map(({ offer, ...rest }): AuctionEvent => {
    const amount = typeof offer === 'number' ? offer : null
    return { type: 'BidPlaced', ...rest, amount, commitment: amount === null ? HASH : null }
  })
const other = fc
  .record({ at: fc.nat(), bidder: party, price: minor })
  .chain(({ at, bidder, price }) =>
    fc.constantFrom<AuctionEvent>(
      { type: 'AuctionStarted', at },
      { type: 'LotBoughtNow', at, bidId: 'bid_1', bidder, price },
      { type: 'MaxBidChanged', at, bidId: 'bid_2', bidder, commitment: HASH, price, reserveMet: true },
      { type: 'AuctionCancelled', at, commandId: 'cmd_1', reason: 'Broken.' },
    ),
  )

describe('the text of a commit', () => {
  it('is read as it was written, whatever the events', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(bid, other), { minLength: 1, maxLength: 20 }), (events) => {
        const mandate = {
          signer: DIGEST,
          signedAt: 5,
          commands: [DIGEST, events.length - 1],
          signature: SIGNATURE,
        }
        const body = { auctionId: 'auc_1', firstSeq: 7, prevHash: HASH, events, mandates: [mandate] }
        const written = writeBody(body)
        expect(readBody(written)).to.deep.equal(body)
        expect(readBodyAgain(written)).to.deep.equal(body)
        expect(eventsOf(written)).to.deep.equal(events)
      }),
    )
  })

  it('is read as it was written, for a whole auction', () => {
    for (const { body } of new LongAuction({ bids: 200, bidsPerCommit: 16 }).commits())
      expect(writeBody(readBody(body))).to.equal(body)
  })

  it('keeps bidders apart whose ids and names run into each other', () => {
    const bidders = [
      { id: 'a', name: 'bc' },
      { id: 'ab', name: 'c' },
      { id: 'a', name: 'b c' },
      { id: 'a', name: 'bd' },
    ]
    const placed = { type: 'BidPlaced', at: 1, bidId: 'bid_1', amount: 1, commitment: null } as const
    const events = bidders.map((bidder): AuctionEvent => {
      return { ...placed, bidder, price: 1, leads: true, reserveMet: true }
    })
    expect(
      eventsOf(writeBody({ auctionId: 'auc_1', firstSeq: 2, prevHash: HASH, events, mandates: [] })),
    ).to.deep.equal(events)
  })

  it('names a bidder once, however many bids are his, and takes less than 100 bytes for a bid', () => {
    const commit = [...new LongAuction({ bids: 200, bidsPerCommit: 100 }).commits()][1]
    const { events } = readBody(commit?.body ?? '')
    const [first] = events
    if (first?.type !== 'BidPlaced') throw new Error('expected a bid')
    expect(commit?.body.split(first.bidder.id)).to.have.length(2)
    const plain = events.filter((event) => event.type === 'BidPlaced' && event.amount !== null)
    const alone = writeBody({ ...readBody(commit?.body ?? ''), events: plain, mandates: [] })
    expect(alone.length / plain.length).to.be.below(100)
  })

  describe('is never written where nobody would read it', () => {
    const body = { auctionId: 'auc_1', firstSeq: 2, prevHash: HASH, mandates: [] }
    const cancelled = { type: 'AuctionCancelled', at: 1, commandId: 'cmd_1', reason: 'Broken.' } as const
    const bid: BidPlaced = {
      type: 'BidPlaced',
      at: 1,
      bidId: 'bid_1',
      bidder: { id: 'node_a', name: 'Anna' },
      amount: 1,
      commitment: null,
      price: 1,
      leads: true,
      reserveMet: true,
    }
    const atTheLimit: readonly [what: string, event: AuctionEvent][] = [
      ['a reason of 500 characters', { ...cancelled, reason: 'x'.repeat(500) }],
      ['no reason', { ...cancelled, reason: '' }],
      ['a command id of 96', { ...cancelled, commandId: 'c'.repeat(96) }],
      ['a bid id of 96', { ...bid, bidId: 'b'.repeat(96) }],
      ['a name of 64', { ...bid, bidder: { id: 'node_a', name: 'n'.repeat(64) } }],
      ['the last time there is', { ...bid, at: MAX_TIME }],
    ]
    const beyond: readonly [what: string, event: AuctionEvent][] = [
      ['a reason of 501', { ...cancelled, reason: 'x'.repeat(501) }],
      ['a reason with an escape', { ...cancelled, reason: 'a\u001b[2J' }],
      ['a reason of two lines', { ...cancelled, reason: 'a\nb' }],
      ['a reason with half a character', { ...cancelled, reason: 'a\ud800' }],
      ['a command id of 97', { ...cancelled, commandId: 'c'.repeat(97) }],
      ['no command id', { ...cancelled, commandId: '' }],
      ['a bid id of 97', { ...bid, bidId: 'b'.repeat(97) }],
      ['a bid id with a blank', { ...bid, bidId: 'bid 1' }],
      ['a name of 65', { ...bid, bidder: { id: 'node_a', name: 'n'.repeat(65) } }],
      ['no name', { ...bid, bidder: { id: 'node_a', name: '' } }],
      ['a name that cannot be seen', { ...bid, bidder: { id: 'node_a', name: '\u200b' } }],
      ['a bidder id of 97', { ...bid, bidder: { id: 'n'.repeat(97), name: 'Anna' } }],
      ['a time past all calendars', { ...bid, at: 9e15 }],
      ['part of a cent', { ...bid, amount: 0.5 }],
    ]
    for (const [what, event] of atTheLimit) {
      it(`with ${what}, which is read as it was written`, () => {
        const written = writeBody({ ...body, events: [event] })
        expect(readBody(written).events).to.deep.equal([event])
      })
    }
    for (const [what, event] of beyond) {
      it(`with ${what}`, () => {
        expect(() => writeBody({ ...body, events: [event] })).to.throw(BodyError)
      })
    }
    it('past the last event of an auction', () => {
      const whole = { ...body, events: [bid, bid] }
      expect(() => writeBody({ ...whole, firstSeq: MAX_SEQ })).to.throw(BodyError)
      expect(() => writeBody({ ...whole, firstSeq: MAX_SEQ - 1 })).not.to.throw()
    })
  })

  describe('is refused with the place and the rule', () => {
    const good = {
      auctionId: 'auc_1',
      firstSeq: 2,
      prevHash: HASH,
      parties: [['node_a', 'Anna']],
      events: [[1, 'bid_1', 0, 100, 100, true, true]] as unknown[],
      mandates: [[DIGEST, 1, [0, DIGEST], SIGNATURE]] as unknown[],
    }
    const ruleOf = (json: unknown): string => {
      try {
        readBody(typeof json === 'string' ? json : JSON.stringify(json))
      } catch (error) {
        if (error instanceof BodyError) return error.rule
        throw error
      }
      return 'none'
    }
    const withBid = (...bid: unknown[]) => ({ ...good, events: [...good.events, bid] })
    const withMandate = (...mandate: unknown[]) => ({ ...good, mandates: [...good.mandates, mandate] })

    it('but not where it is sound', () => {
      expect(ruleOf(good)).to.equal('none')
      expect(ruleOf(withBid(1, 'bid_2', 0, HASH, 100, false, true))).to.equal('none')
    })

    for (const [what, json] of [
      ['no list', { ...good, events: [{ at: 1 }, 7] }],
      ['too few values', withBid(1, 'bid_2', 0, 100, 100, true)],
      ['too many values', withBid(1, 'bid_2', 0, 100, 100, true, true, 1)],
      ['a time that is none', withBid(-1, 'bid_2', 0, 100, 100, true, true)],
      ['no id', withBid(1, '', 0, 100, 100, true, true)],
      ['an id without end', withBid(1, 'b'.repeat(97), 0, 100, 100, true, true)],
      ['a bidder who is not there', withBid(1, 'bid_2', 1, 100, 100, true, true)],
      ['half a bidder', withBid(1, 'bid_2', 0.5, 100, 100, true, true)],
      ['a part of a cent', withBid(1, 'bid_2', 0, 1.5, 100, true, true)],
      ['more than fits', withBid(1, 'bid_2', 0, 2 ** 53, 100, true, true)],
      ['a commitment that is none', withBid(1, 'bid_2', 0, 'abc', 100, true, true)],
      ['no price', withBid(1, 'bid_2', 0, 100, 0, true, true)],
      ['a number for a word', withBid(1, 'bid_2', 0, 100, 100, 1, true)],
    ] as const) {
      it(`where a bid has ${what}`, () => {
        expect(ruleOf(json)).to.match(/^the body's events\.[01]/)
      })
    }

    for (const [what, json] of [
      ['no commands', withMandate(DIGEST, 1, [], SIGNATURE)],
      ['an event that is not there', withMandate(DIGEST, 1, [1], SIGNATURE)],
      ['a digest that is none', withMandate(DIGEST, 1, ['abc'], SIGNATURE)],
      ['a signer that is none', withMandate('abc', 1, [0], SIGNATURE)],
      ['a signature with bits left over', withMandate(DIGEST, 1, [0], `${'s'.repeat(85)}B`)],
    ] as const) {
      it(`where a mandate has ${what}`, () => {
        expect(ruleOf(json)).to.match(/^the body's mandates\.1/)
      })
    }

    it('where the whole is malformed', () => {
      expect(ruleOf('{')).to.equal('the body is not JSON')
      expect(ruleOf([])).to.match(/^the body's shape/)
      expect(ruleOf({ ...good, more: 1 })).to.match(/^the body's/)
      expect(ruleOf({ ...good, events: [] })).to.match(/^the body's events/)
      expect(ruleOf({ ...good, prevHash: 'x' })).to.match(/^the body's prevHash/)
      expect(ruleOf({ ...good, parties: [['', 'x']] })).to.match(/^the body's parties\.0/)
    })

    it('where readers could read it differently', () => {
      const written = JSON.stringify(good)
      for (const text of [
        written.replace('"firstSeq":2', '"firstSeq":9,"firstSeq":2'),
        written.replace('"Anna"', '"Anna\\ud83d"'),
        written.replace('"Anna"', '"Anna\ud83d"'),
        written.replace('[1,"bid_1",0,100,', '[1,"bid_1",0,1e2,'),
        written.replace('[1,"bid_1",0,100,', '[1,"bid_1",0,100.0,'),
        written.replace('[1,"bid_1",0,', '[1,"bid_1",-0,'),
        `${written}\n`,
      ])
        expect(ruleOf(text), text).to.match(/^the body('s parties.*:)? (has|holds|must be whole) /)
      for (const key of ['__proto__', 'constructor', 'toString'])
        expect(ruleOf(written.replace('"firstSeq":2', `"firstSeq":2,"${key}":1`)), key).not.to.equal('none')
    })

    it('where a bid is an object, as other events are', () => {
      const event = { type: 'BidPlaced', at: 1, bidId: 'b', bidder: { id: 'a', name: 'b' }, amount: 1 }
      expect(ruleOf({ ...good, events: [event] })).to.match(/^the body's events\.0/)
    })
  })
})

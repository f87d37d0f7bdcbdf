import { expect } from 'chai'
import fc from 'fast-check'
import { acceptedText, parseFrame } from '../../../src/adapters/websocket/socket-frames.js'
import { clientMessage, replyMessages, soundBid } from '../../../src/application/gateway/messages.js'

const AUCTION = `auc_${'0'.repeat(26)}`

describe('a bid in a WebSocket frame', () => {
  const bid = { type: 'place_bid', auction_id: AUCTION, amount: '105.00', bid_id: 'bid_12345678' }
  const taken: [what: string, message: object][] = [
    ['with all that most have', bid],
    ['with nothing but an amount', { type: 'place_bid', amount: '1' }],
    ['with a number for an amount', { type: 'place_bid', amount: 75.5 }],
    ['with all there is', { ...bid, kind: 'max', request_id: 'a.b:c-1' }],
    ['with more than there is', { ...bid, user_id: 'alice', note: { any: ['thing'] } }],
  ]
  for (const [what, message] of taken) {
    it(`is read without the schema ${what}, and says the same`, () => {
      expect(soundBid(message)).to.deep.equal(clientMessage.parse(message))
      expect(parseFrame(Buffer.from(JSON.stringify(message)))).to.deep.equal({
        value: clientMessage.parse(message),
      })
    })
  }

  it('is never read otherwise than the schema reads it, whatever the fields hold', () => {
    const text = fc.oneof(
      fc.constantFrom('', ' ', '1', ' 1.5 ', '1 2', 'max', 'plain', 'place_bid', 'buy_now', AUCTION),
      fc.string({ maxLength: 140, unit: 'binary' }),
    )
    const value = fc.oneof(text, text, fc.double(), fc.jsonValue())
    const message = fc.record(
      {
        type: fc.constantFrom('place_bid', 'place_bid', 'ping', 1),
        amount: fc.oneof(fc.constantFrom('1', '2.50', 3), value),
        auction_id: fc.oneof(fc.constant(AUCTION), value),
        kind: fc.oneof(fc.constantFrom('plain', 'max'), value),
        bid_id: fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), value),
        request_id: fc.oneof(fc.string({ minLength: 1, maxLength: 20 }), value),
        other: value,
      },
      { requiredKeys: ['type'] },
    )
    fc.assert(
      fc.property(message, (given) => {
        const json: unknown = JSON.parse(JSON.stringify(given))
        const read = soundBid(json)
        const parsed = clientMessage.safeParse(json)
        if (read !== null) expect(parsed.data).to.deep.equal(read)
        else if (parsed.success) expect(parsed.data.type).not.to.equal('place_bid')
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the answer to an accepted bid', () => {
  it('is ASCII JSON of the documented shape, whatever names it has to repeat', () => {
    const text = fc.oneof(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30, unit: 'binary' }))
    fc.assert(
      fc.property(text, fc.option(text), text, fc.nat(), fc.boolean(), (id, key, code, price, leads) => {
        const at = 1_790_000_000_000 + price
        const written = acceptedText(
          {
            status: 'accepted',
            commandId: id,
            auctionId: AUCTION,
            seq: 7,
            at,
            bid: { leads, price, reserveMet: !leads },
          },
          { key, currency: { code, exponent: 2 }, requestId: 'r-1.2' },
        )
        expect(written).to.match(/^[\x20-\x7e]*$/)
        const message = replyMessages.bid_accepted.strict().parse(JSON.parse(written))
        expect(message).to.deep.include({ auction_id: AUCTION, request_id: 'r-1.2', seq: 7 })
        expect(message).to.deep.include({ bid_id: id, client_id: key, currency: code, leads })
        expect(Number(message.current_bid) * 100).to.be.closeTo(price, price * 1e-12)
        expect(message).to.deep.include({ reserve_met: !leads, timestamp: new Date(at).toISOString() })
      }),
    )
  })

  it('has no bid if the command made none', () => {
    const accepted = {
      status: 'accepted',
      commandId: 'cmd_12345678',
      auctionId: AUCTION,
      seq: 1,
      at: 0,
    } as const
    const options = { key: null, currency: { code: 'EUR', exponent: 2 }, requestId: 'r' }
    expect(JSON.parse(acceptedText(accepted, options))).to.deep.include({ current_bid: '', leads: true })
  })
})

import { expect } from 'chai'
import { MAX_FRAME_BYTES } from '../../../src/adapters/websocket/websocket-server.js'
import { clientMessage, clientMessages, MAX_SUBSCRIPTIONS } from '../../../src/application/gateway/messages.js'

const reference = 'a'.repeat(96)
const clientId = '~'.repeat(128)
const requestId = 'r'.repeat(80)

/** The longest that each message may be; a new one goes here too. */
const LONGEST: Record<keyof typeof clientMessages, object> = {
  place_bid: {
    auction_id: reference,
    kind: 'plain',
    bid_id: clientId,
    request_id: requestId,
    amount: '9'.repeat(64),
  },
  buy_now: { auction_id: reference, bid_id: clientId, request_id: requestId },
  ping: { id: '\u0001'.repeat(128) },
  subscribe: {
    auction_id: reference,
    auction_ids: Array(MAX_SUBSCRIPTIONS).fill(reference),
    presence: false,
    from_seq: 1_000_000_000,
    cursor: '\u0001'.repeat(128),
    mode: 'newest',
    catalogue: true,
    since: '2030-01-31T12:00:00.123456789+00:00',
  },
  unsubscribe: { auction_id: reference, catalogue: true },
  authenticate: {
    access_token: '\u0001'.repeat(4_096),
    api_key: '\u0001'.repeat(4_096),
    token: '\u0001'.repeat(4_096),
    user_id: '\u0001'.repeat(256),
  },
}

describe('the largest frame of a WebSocket', () => {
  for (const [type, fields] of Object.entries(LONGEST))
    it(`holds the longest ${type}`, () => {
      const message = { type, ...fields }
      const bytes = Buffer.byteLength(JSON.stringify(message))
      expect(bytes).to.be.at.most(MAX_FRAME_BYTES)
      const parsed = clientMessage.safeParse(message)
      expect(parsed.error?.issues ?? []).to.deep.equal([])
    })

  it('is held against every message', () => {
    expect(Object.keys(LONGEST)).to.have.members(Object.keys(clientMessages))
  })
})

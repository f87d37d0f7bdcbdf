import { ClientError, GatewaysUnreachable } from './client-error.js'
import type { BidOutcome, ReplyMessage, SentMessage } from './messages.js'
import type { Answer } from './settle.js'
import type { TimeSource } from './time-source.js'

/** The time for one attempt over the socket; after this the bid is asked about by HTTP. */
const PATIENCE_MS = 5_000

interface Waiting {
  readonly answer: (answer: Answer<BidOutcome>) => void
}

/** Bids over the socket, each matched with its answer by its id. */
export class LiveBids {
  readonly #time: TimeSource
  readonly #send: (message: SentMessage) => boolean
  readonly #waiting = new Map<string, Waiting>()

  constructor({ time, send }: { time: TimeSource; send: (message: SentMessage) => boolean }) {
    this.#time = time
    this.#send = send
  }

  /** Null: there is no connection, or this bid is under way over it; nothing was sent. */
  ask(bidId: string, message: SentMessage, leftMs: number): Promise<Answer<BidOutcome>> | null {
    if (this.#waiting.has(bidId)) return null
    if (!this.#send(message)) return null
    return new Promise((resolve) => {
      const timer = this.#time.after(Math.min(PATIENCE_MS, leftMs), () =>
        answer(lost(`no answer came within ${Math.min(PATIENCE_MS, leftMs)} ms`)),
      )
      const answer = (given: Answer<BidOutcome>) => {
        timer.cancel()
        this.#waiting.delete(bidId)
        resolve(given)
      }
      this.#waiting.set(bidId, { answer })
    })
  }

  message(message: ReplyMessage): void {
    if (message.type !== 'bid_accepted' && message.type !== 'bid_rejected' && message.type !== 'bid_unknown') return
    const waiting = this.#waiting.get(message.client_id ?? '')
    waiting?.answer(answerOf(message))
  }

  lost(reason: string): void {
    for (const { answer } of [...this.#waiting.values()]) answer(lost(reason))
  }
}

type BidReply = Extract<ReplyMessage, { type: 'bid_accepted' | 'bid_rejected' | 'bid_unknown' }>

function answerOf(message: BidReply): Answer<BidOutcome> {
  if (message.type === 'bid_accepted') {
    const { bid_id, auction_id, seq, timestamp, leads, current_bid, reserve_met, currency } = message
    const value = { status: 'accepted', command_id: bid_id, auction_id, seq, at: timestamp, leads } as const
    return { kind: 'outcome', value: { ...value, price: current_bid, reserve_met, currency } }
  }
  const { bid_id, code, reason, next } = message
  // With an id it is the home's word on this very bid; without, only this asking failed, and HTTP says more of why.
  if (message.type === 'bid_rejected' && bid_id !== null) {
    const { minimum = null, price = null, currency = null } = message
    const value = {
      status: 'rejected',
      command_id: bid_id,
      code,
      reason,
      next,
      minimum,
      price,
      currency,
    } as const
    return { kind: 'outcome', value }
  }
  const error = new ClientError(code, reason, { next })
  return { kind: 'again', error, mayHaveActed: !NOTHING_DONE.has(code) }
}

const NOTHING_DONE = new Set([
  ...['BUSY', 'STOPPING', 'HOME_UNREACHABLE', 'TOO_MANY_REQUESTS', 'DISK_FULL', 'INVALID_INPUT'],
  ...[
    'AUCTION_HELD',
    'AUCTION_NOT_FOUND',
    'AUCTION_AMBIGUOUS',
    'UNAUTHENTICATED',
    'TOKEN_INVALID',
    'TOKEN_EXPIRED',
    'FORBIDDEN',
  ],
  ...['ACCOUNT_DISABLED', 'ACCOUNT_NEEDED'],
])

function lost(reason: string): Answer<BidOutcome> {
  return { kind: 'again', error: new GatewaysUnreachable(reason), mayHaveActed: true }
}

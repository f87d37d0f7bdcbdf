import type { ClientMessage } from '../../application/gateway/messages.js'
import { timeText } from '../../application/log/time-text.js'
import type { AmountInput } from '../../domain/money.js'
import { type ProblemAnswer, rejectionProblem } from '../http/problem.js'
import type { ServingDeps } from '../http/serving-deps.js'
import type { SocketCaller } from './socket-caller.js'
import { acceptedText, noAuction, refusedMessage, tooManyPending } from './socket-frames.js'
import type { SocketOutbox } from './socket-outbox.js'

export type SocketBidsDeps = Pick<ServingDeps, 'clock' | 'desk' | 'facts' | 'metrics'>
export type BidMessage = Extract<ClientMessage, { type: 'place_bid' | 'buy_now' }>

type RefusedBid = { auction: string; key: string | null | undefined; requestId: string }

/** Bids of one connection that wait for their answer. */
const MAX_PENDING = 256

/** The bids of one WebSocket, each answered to its sender alone. */
export class SocketBids {
  readonly #deps: SocketBidsDeps
  readonly #caller: SocketCaller
  readonly #outbox: SocketOutbox
  readonly #problem: (error: unknown, requestId?: string) => ProblemAnswer
  /** The connection's; its bids' are made of it. */
  readonly #requestId: string
  #made = 0
  #pending = 0

  constructor(
    deps: SocketBidsDeps,
    options: {
      readonly caller: SocketCaller
      readonly outbox: SocketOutbox
      readonly problem: (error: unknown, requestId?: string) => ProblemAnswer
      readonly requestId: string
    },
  ) {
    this.#deps = deps
    this.#caller = options.caller
    this.#outbox = options.outbox
    this.#problem = options.problem
    this.#requestId = options.requestId
  }

  /** `auction`: of the connection's path, where there is one. */
  async place(message: BidMessage, auctionOfPath: string | null): Promise<void> {
    const { desk, facts, metrics } = this.#deps
    const { bid_id: key, request_id: requestId = `${this.#requestId}.${++this.#made}` } = message
    const auction = auctionOfPath ?? message.auction_id ?? ''
    const { kind, amount } = offerOf(message)
    const { lane, admit, address } = this.#caller
    const bid = { auction, kind, amount, key, keyField: 'bid_id', brief: true, requestId, lane, from: address }
    if (this.#pending >= MAX_PENDING) {
      metrics.overfull('ws')
      return this.#refuse(bid, this.#problem(tooManyPending(MAX_PENDING)))
    }
    this.#pending += 1
    // A gateway that stops waits until the answer is written.
    desk.begin()
    try {
      if (auction === '') throw noAuction()
      const { outcome } = await desk.bid('ws', admit, bid)
      const startedMs = performance.now()
      const id = outcome.auctionId || auction
      const { currency } = (facts.peek(id) ?? (await facts.of(id))).terms
      if (outcome.status === 'rejected')
        this.#refuse(bid, { problem: rejectionProblem(outcome, currency), retryAfterSeconds: null })
      else this.#outbox.replyAscii(acceptedText(outcome, { key: key ?? null, currency, requestId }))
      metrics.answer.observe((performance.now() - startedMs) / 1_000)
    } catch (error) {
      this.#refuse(bid, this.#problem(error, requestId))
    } finally {
      this.#pending -= 1
      desk.end()
    }
  }

  #refuse({ auction, key = null, requestId }: RefusedBid, problem: ProblemAnswer): void {
    const now = timeText(this.#deps.clock.now())
    this.#outbox.reply(refusedMessage(problem, { auction, key, now, requestId }))
  }
}

function offerOf(message: BidMessage): { kind: 'plain' | 'max' | 'buy-now'; amount?: AmountInput } {
  return message.type === 'buy_now' ? { kind: 'buy-now' } : { kind: message.kind, amount: message.amount }
}

import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Submission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import type { MovingAuctions } from './moving-auctions.js'

export interface ClusterCommandsDeps {
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly movingAuctions: MovingAuctions
  readonly timers: Timers
  /** To the auction's home as it is known now. */
  readonly send: (submission: Submission) => void
}

/** Whoever waits for an answer has one within 5 s, with some time for its way back. */
export const CLUSTER_PATIENCE_MS = 4_800
/** How often commands without an outcome are sent again while no new home is known. */
const RESEND_MS = 100
/** A command that has waited this long for its answer is shown to its bidder as on its way to a home that is gone. */
const SLOW_MS = 1_500
/** Commands to one auction that have no outcome; beyond this, callers get BUSY. */
const MAX_PENDING = 10_000

/** After which another home may answer, if it is asked the same. */
const MOVES: ReadonlySet<string> = new Set(['NOT_HOME', 'HOME_UNREACHABLE', 'OUTCOME_UNKNOWN', 'LOG_UNREACHABLE'])

const UNKNOWN = submitFailure(
  'OUTCOME_UNKNOWN',
  'the auction is moving to another node; ask again with the same id to learn the outcome',
)
const BUSY = submitFailure('BUSY', 'too many commands wait for this auction; try again in a moment')

/** The commands to one auction, in the order of the calls. */
interface Queue {
  readonly pendings: Set<Pending>
  /** How many of them wait to be sent again. */
  waiting: number
}

interface Pending {
  readonly queue: Queue
  readonly submission: Submission
  readonly deadlineMs: number
  /** Null: it waits to be sent, or sent again. */
  sentAtMs: number | null
  /** Answers to earlier ones count only if they are outcomes. */
  attempt: number
  /** It may have been carried out: from then on only an outcome is certain. */
  maybeDone: boolean
  failure: SubmitResult
}

/**
 * Commands to auctions of a cluster, whose home may change at any moment: each is sent again, with the same id and
 * behind those that came before it, until a home has an outcome for it. A home that lost its auction can store nothing
 * any more, so whichever outcome comes first is the one that stands in the log.
 */
export class ClusterCommands {
  readonly #deps: ClusterCommandsDeps
  readonly #queues = new Map<string, Queue>()
  #timer: Timer | null = null

  constructor(deps: ClusterCommandsDeps) {
    this.#deps = deps
  }

  enqueue(submission: Submission): void {
    const { auctionId } = submission.command
    const queue = this.#queues.get(auctionId) ?? { pendings: new Set(), waiting: 0 }
    if (queue.pendings.size >= MAX_PENDING) {
      submission.settle(BUSY)
      return
    }
    this.#queues.set(auctionId, queue)
    const pending: Pending = {
      queue,
      submission,
      deadlineMs: this.#deps.clock.monotonicMs() + CLUSTER_PATIENCE_MS,
      sentAtMs: null,
      attempt: 0,
      maybeDone: false,
      failure: UNKNOWN,
    }
    queue.pendings.add(pending)
    queue.waiting += 1
    this.#timer ??= this.#deps.timers.after(RESEND_MS, () => this.#look())
    // Others that wait were there before it.
    if (queue.waiting === 1) this.#send(pending)
  }

  /** Another node is the home now: it gets all that have no outcome, also those that the old one may still answer. */
  moved(auctionId: string): void {
    for (const pending of [...(this.#queues.get(auctionId)?.pendings ?? [])]) {
      pending.maybeDone ||= pending.sentAtMs !== null
      this.#send(pending)
    }
  }

  #send(pending: Pending): void {
    if (pending.sentAtMs === null) pending.queue.waiting -= 1
    pending.attempt += 1
    pending.sentAtMs = this.#deps.clock.monotonicMs()
    const { attempt } = pending
    this.#deps.send({ ...pending.submission, settle: (result) => this.#answered(pending, attempt, result) })
  }

  #answered(pending: Pending, attempt: number, result: SubmitResult): void {
    const { queue, submission } = pending
    const { auctionId } = submission.command
    if (!queue.pendings.has(pending)) return
    if (result.ok) {
      this.#deps.movingAuctions.end(auctionId)
      this.#settle(pending, result)
      return
    }
    if (result.code === 'OUTCOME_UNKNOWN') pending.maybeDone = true
    if (attempt !== pending.attempt) return
    if (!pending.maybeDone && !MOVES.has(result.code)) {
      this.#settle(pending, result)
      return
    }
    pending.sentAtMs = null
    pending.queue.waiting += 1
    pending.failure = result
    this.#deps.movingAuctions.begin(auctionId)
  }

  #look(): void {
    this.#timer = null
    const nowMs = this.#deps.clock.monotonicMs()
    for (const [auctionId, { pendings }] of this.#queues) {
      for (const pending of [...pendings]) {
        const { deadlineMs, sentAtMs, maybeDone, failure } = pending
        if (nowMs >= deadlineMs) this.#settle(pending, maybeDone || sentAtMs !== null ? UNKNOWN : failure)
        else if (sentAtMs === null) this.#send(pending)
        else if (nowMs - sentAtMs >= SLOW_MS) this.#deps.movingAuctions.begin(auctionId)
      }
    }
    if (this.#queues.size > 0) this.#timer ??= this.#deps.timers.after(RESEND_MS, () => this.#look())
  }

  #settle(pending: Pending, result: SubmitResult): void {
    const { queue, submission, sentAtMs } = pending
    const { auctionId } = submission.command
    queue.pendings.delete(pending)
    if (sentAtMs === null) queue.waiting -= 1
    if (queue.pendings.size === 0) {
      this.#queues.delete(auctionId)
      this.#deps.movingAuctions.end(auctionId)
    }
    submission.settle(result)
  }
}

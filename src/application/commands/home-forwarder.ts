import type { RemoteCommand } from '../../domain/remote-command.js'
import type { SubmitAnswer, SubmitResult } from '../../ports/mesh/home-messages.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import { nodeErrorCode } from '../../ports/node/node-error.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import { type Histogram, type Metrics, NO_METRICS, stepSeconds } from '../../ports/system/metrics.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import type { Timers } from '../../ports/system/timers.js'
import { dateRule } from '../log/check-commit.js'
import { signMandates, submittedMandates } from '../submissions/mandate.js'
import { areSigned, receiptsOf } from '../submissions/receipt.js'
import type { Submission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import { gather } from '../turns/gather.js'
import type { ReceiptKeeper } from './receipt-keeper.js'

export interface HomeForwarderDeps {
  readonly peerClient: Pick<PeerClient, 'submit'>
  readonly receiptKeeper: Pick<ReceiptKeeper, 'keep'>
  readonly signer: Signer
  readonly verifier: SignatureVerifier
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly metrics?: Metrics
}

/** The home as this node knows it now. */
export interface ReachableHome {
  readonly nodeId: string
  readonly publicKey: string
  readonly address: string
}

/** Commands that wait for one home; beyond this, callers get BUSY. */
export const MAX_WAITING_COMMANDS = 10_000
const MAX_BATCH_COMMANDS = 500
/** Requests under way at once: one is decided at the home while the next is on the wire. */
const MAX_REQUESTS = 2
const SUBMIT_TIMEOUT_MS = 5_000
/** How often a lost answer is asked for again before its outcome is called unknown. */
const MAX_ATTEMPTS = 3
const RETRY_DELAY_MS = 250

/**
 * A request without an answer may still be carried out, even after a later one was answered that nothing was done: from
 * then on only an outcome is certain.
 */
const UNKNOWN = submitFailure(
  'OUTCOME_UNKNOWN',
  'the home did not answer; ask again with the same id to learn the outcome',
)

/** An answer arrived that is not valid. */
function unusable({ message }: PeerCallError) {
  return submitFailure(
    'OUTCOME_UNKNOWN',
    `what the home answered cannot be used (${message}); ask again with the same id to learn the outcome`,
  )
}

/**
 * Carries commands to one home. While requests are under way, what arrives gathers and goes as one batch. Each
 * request carries this node's mandates for the auctions in it. An answer
 * that got lost is asked for again with the same ids, which cannot bid twice; one that the home did not sign is no
 * answer. What the home signed is kept as receipts.
 */
export class HomeForwarder {
  readonly #deps: HomeForwarderDeps
  /** Null if it is not reachable now. */
  readonly #home: () => ReachableHome | null
  #waiting: Submission[] = []
  #requests = 0
  /** With commands in a request that is under way. */
  readonly #lanes = new Set<object>()
  readonly #seconds: Histogram

  constructor(deps: HomeForwarderDeps, home: () => ReachableHome | null) {
    this.#deps = deps
    this.#home = home
    this.#seconds = stepSeconds(deps.metrics ?? NO_METRICS, 'forward')
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** Commands of one lane arrive at the home in the order of the calls. */
  enqueue(submission: Submission): void {
    if (this.#waiting.length >= MAX_WAITING_COMMANDS) {
      submission.settle(submitFailure('BUSY', 'too many commands wait for this home; try again in a moment'))
      return
    }
    this.#waiting.push(submission)
    if (this.#requests < MAX_REQUESTS) void this.#run()
  }

  async #run(): Promise<void> {
    this.#requests += 1
    for (;;) {
      await gather()
      const batch = this.#nextBatch()
      if (batch.length === 0) break
      const startedMs = this.#deps.clock.monotonicMs()
      const requestIds = requestIdsOf(batch)
      const results = await this.#send(
        batch.map(({ command }) => command),
        requestIds,
      ).catch((error: unknown) => {
        this.#deps.logger.error({ err: error, requestIds }, 'commands could not be sent')
        return []
      })
      this.#seconds.observe((this.#deps.clock.monotonicMs() - startedMs) / 1_000)
      for (const { lane } of batch) if (lane !== undefined) this.#lanes.delete(lane)
      batch.forEach(({ settle }, i) => {
        settle(results[i] ?? submitFailure(null))
      })
    }
    this.#requests -= 1
  }

  /** Two requests may overtake each other: what has a command of its lane in one waits for the answer to that. */
  #nextBatch(): Submission[] {
    const lanes = this.#lanes
    const mayGo = ({ lane }: Submission) => lane === undefined || !lanes.has(lane)
    let batch = this.#waiting.splice(0, MAX_BATCH_COMMANDS)
    if (lanes.size > 0 && !batch.every(mayGo)) {
      this.#waiting.unshift(...batch)
      batch = this.#waiting.filter(mayGo).slice(0, MAX_BATCH_COMMANDS)
      const going = new Set(batch)
      this.#waiting = this.#waiting.filter((waiting) => !going.has(waiting))
    }
    for (const { lane } of batch) if (lane !== undefined) lanes.add(lane)
    return batch
  }

  async #send(
    commands: readonly RemoteCommand[],
    requestIds: readonly (string | null)[] | undefined,
  ): Promise<SubmitResult[]> {
    const { clock, signer } = this.#deps
    const mandates = submittedMandates(signMandates(commands, signer, clock.now()))
    let maybeDone = false
    let unknown = UNKNOWN
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const home = this.#home()
      if (home !== null) {
        const { address } = home
        try {
          const answer = await this.#deps.peerClient.submit(address, commands, mandates, {
            timeoutMs: SUBMIT_TIMEOUT_MS,
            requestIds,
          })
          const results = await this.#signed(home, commands, answer)
          return maybeDone ? results.map((result) => (result.ok ? result : unknown)) : results
        } catch (error) {
          this.#deps.logger.debug(
            { address, err: error, attempt, commands: commands.length, requestIds },
            'a submit failed',
          )
          if (!(error instanceof PeerCallError)) throw error
          if (error.answered)
            return commands.map(() => (maybeDone ? unknown : submitFailure(nodeErrorCode(error.code), error.message)))
          maybeDone ||= error.sent
          if (error.code === 'BAD_ANSWER') unknown = unusable(error)
        }
      }
      if (!maybeDone) break
      if (attempt < MAX_ATTEMPTS) await this.#delay(RETRY_DELAY_MS * attempt)
    }
    const failure = maybeDone
      ? unknown
      : submitFailure('HOME_UNREACHABLE', "the auction's home cannot be reached; nothing was done")
    return commands.map(() => failure)
  }

  /** The results, once the home's signature over them holds. */
  async #signed(
    { nodeId, publicKey, address }: ReachableHome,
    commands: readonly RemoteCommand[],
    { results, receipt }: SubmitAnswer,
  ): Promise<SubmitResult[]> {
    const receipts = receiptsOf(commands, results)
    const latest = Math.max(0, ...receipts.map(({ outcome }) => outcome.at))
    const tooEarly = dateRule(latest, this.#deps.clock.now())
    if (tooEarly !== null) {
      const message = `the answer of ${address} counts for nothing: ${tooEarly}`
      throw new PeerCallError('BAD_ANSWER', message, { address, sent: true, answered: false })
    }
    if (receipts.length > 0) {
      const signed = receipt && { home: { nodeId, publicKey }, ...receipt, receipts }
      if (signed === null || !areSigned(signed, this.#deps.verifier)) {
        const message = `the answer of ${address} is not signed by the home that it is asked of`
        throw new PeerCallError('BAD_ANSWER', message, { address, sent: true, answered: false })
      }
      await this.#deps.receiptKeeper.keep(signed)
    }
    return [...results]
  }

  #delay(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#deps.timers.after(ms, resolve)
    })
  }
}

/** One for each command; none at all where no command has one. */
function requestIdsOf(batch: readonly Submission[]): (string | null)[] | undefined {
  if (batch.every(({ requestId }) => requestId === undefined)) return undefined
  return batch.map(({ requestId }) => requestId ?? null)
}

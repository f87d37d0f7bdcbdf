import type { OpenedAuction } from '../domain/auction.js'
import type { SealedMaximum } from '../domain/commands.js'
import type { Head } from '../domain/commit.js'
import { decide } from '../domain/decide.js'
import type { AuctionEvent } from '../domain/events.js'
import type { Secrets } from '../domain/pricing.js'
import type { SecretRepository } from '../ports/auction-repository.js'
import type { Clock } from '../ports/clock.js'
import type { EventLog } from '../ports/event-log.js'
import type { Logger } from '../ports/logger.js'
import type { Outcome, OutcomeRepository, RecordedOutcome } from '../ports/outcome-repository.js'
import type { RemoteCommand, SubmitResult } from '../ports/peer-client.js'
import type { Random } from '../ports/random.js'
import type { Signer } from '../ports/signer.js'
import { sealCommit } from './commit.js'
import { MAX_EVENTS_PER_COMMIT } from './event-schema.js'
import { auctionNow, domainCommand, fingerprintOf, type HomeTask, isClientCommand } from './home-command.js'
import { outcomeOf } from './outcome.js'
import { submitFailure } from './submit-failure.js'

export interface AuctionActorDeps {
  readonly clock: Clock
  readonly random: Random
  readonly signer: Signer
  readonly eventLog: Pick<EventLog, 'append'>
  readonly outcomes: OutcomeRepository
  readonly secrets: Pick<SecretRepository, 'sealed'>
  readonly logger: Logger
}

export interface LoadedAuction {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
  readonly secrets: Secrets
}

/** Commands waiting for one auction; past it the answer is BUSY. */
export const MAX_MAILBOX_COMMANDS = 10_000
/** Commands decided and written at once; each makes at most three events, so a commit stays within its bound. */
export const MAX_BATCH_COMMANDS = 1_000
/** Maxima opened in one commit. */
export const REVEAL_PAGE = 1_000

/** Refusals after which the log and this actor's state still agree. */
function nothingChanged(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'DISK_FULL' || code === 'BUSY' || code === 'DUPLICATE_COMMAND'
}

interface Waiting {
  readonly task: HomeTask
  readonly settle: (result: SubmitResult) => void
}

/** What a batch has come to before it is written. */
interface Draft {
  state: OpenedAuction
  secrets: Secrets
  readonly events: AuctionEvent[]
  readonly sealed: SealedMaximum[]
  readonly recorded: RecordedOutcome[]
  readonly answers: { waiting: Waiting; result: SubmitResult }[]
}

/**
 * The one writer of one auction's log. Commands wait in a bounded mailbox; all that wait are decided in order of
 * arrival and written as one commit; nobody is answered before that commit is durable. While it is being written,
 * the next batch gathers: the busier the auction, the larger its batches.
 */
export class AuctionActor {
  readonly #deps: AuctionActorDeps
  #auction: LoadedAuction
  #mailbox: Waiting[] = []
  #running: Promise<void> | null = null
  #broken = false

  constructor(deps: AuctionActorDeps, auction: LoadedAuction) {
    this.#deps = deps
    this.#auction = auction
  }

  get state(): OpenedAuction {
    return this.#auction.state
  }

  get idle(): boolean {
    return this.#running === null
  }

  /** True after a failed write: what the log holds is not known here any more, so load the auction afresh. */
  get broken(): boolean {
    return this.#broken
  }

  /** Resolves once the command's outcome is durable, or with why there is none. */
  submit(task: HomeTask): Promise<SubmitResult> {
    if (this.#mailbox.length >= MAX_MAILBOX_COMMANDS) {
      return Promise.resolve(
        submitFailure('BUSY', 'too many commands wait for this auction; try again in a moment'),
      )
    }
    return new Promise((settle) => {
      this.#mailbox.push({ task, settle })
      this.#running ??= this.#drain()
    })
  }

  /** Resolves when nothing is left to do. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #drain(): Promise<void> {
    // One turn later, so that commands submitted together are decided together.
    await Promise.resolve()
    while (this.#mailbox.length > 0) {
      if (this.#broken) this.#refuseAll()
      const batch = this.#mailbox.splice(0, MAX_BATCH_COMMANDS)
      try {
        await this.#process(batch)
      } catch (error) {
        this.#broken ||= !nothingChanged(error)
        this.#deps.logger.error(
          { err: error, auctionId: this.#auction.auctionId },
          'a batch of commands failed',
        )
        const failure = submitFailure(error)
        for (const { settle } of batch) settle(failure)
      }
    }
    this.#running = null
  }

  /** What waits behind a failed write was never tried; the caller's next try finds a freshly loaded actor. */
  #refuseAll(): void {
    const failure = submitFailure('BUSY', 'the auction is being loaded again; nothing was done, try again')
    for (const { settle } of this.#mailbox.splice(0)) settle(failure)
  }

  async #process(batch: readonly Waiting[]): Promise<void> {
    const ids = batch.flatMap(({ task }) => (isClientCommand(task) ? [task.commandId] : []))
    const known = ids.length > 0 ? await this.#deps.outcomes.find(ids) : new Map<string, RecordedOutcome>()
    const draft: Draft = {
      state: this.#auction.state,
      secrets: this.#auction.secrets,
      events: [],
      sealed: [],
      recorded: [],
      answers: [],
    }
    const wasClosed = draft.state.status === 'closed'
    for (const waiting of batch) this.#decideOne(draft, waiting, known)
    const closes = !wasClosed && draft.state.status === 'closed'
    if (closes || batch.some(({ task }) => task.type === 'reveal')) await this.#reveal(draft)
    await this.#write(draft)
    for (const { waiting, result } of draft.answers) waiting.settle(result)
  }

  #decideOne(draft: Draft, waiting: Waiting, known: Map<string, RecordedOutcome>): void {
    const { task } = waiting
    const now = auctionNow(this.#deps.clock, draft.state.at)
    if (!isClientCommand(task)) {
      if (task.type !== 'reveal')
        this.#decideTimer(draft, task.type === 'start' ? 'StartAuction' : 'EndAuction', now)
      const outcome: Outcome = {
        status: 'accepted',
        commandId: task.type,
        auctionId: task.auctionId,
        seq: draft.state.seq,
        at: now,
      }
      draft.answers.push({ waiting, result: { ok: true, outcome } })
      return
    }
    const outcome = this.#decideClient(draft, task, now, known)
    draft.answers.push({ waiting, result: { ok: true, outcome } })
  }

  #decideClient(
    draft: Draft,
    task: RemoteCommand,
    now: number,
    known: Map<string, RecordedOutcome>,
  ): Outcome {
    const { commandId, auctionId } = task
    const fingerprint = fingerprintOf(task)
    const earlier = known.get(commandId)
    if (earlier !== undefined) {
      if (earlier.fingerprint === fingerprint) return earlier.outcome
      const rejection = { code: 'COMMAND_ID_REUSED' } as const
      return { status: 'rejected', commandId, auctionId, at: now, rejection }
    }
    const decision = decide(
      { auction: draft.state, secrets: draft.secrets },
      domainCommand(task, now, this.#deps.random),
    )
    const outcome = outcomeOf(task, decision, draft.state.seq, now)
    if (decision.accepted) {
      draft.events.push(...decision.events)
      draft.state = decision.next.auction
      draft.secrets = decision.next.secrets
      if (decision.sealed !== null) draft.sealed.push(decision.sealed)
    }
    const record = { outcome, fingerprint }
    draft.recorded.push(record)
    known.set(commandId, record)
    return outcome
  }

  /** A timer that fires too early or twice is refused by the rules, and that is all. */
  #decideTimer(draft: Draft, type: 'StartAuction' | 'EndAuction', now: number): void {
    const decision = decide({ auction: draft.state, secrets: draft.secrets }, { type, now })
    if (!decision.accepted) return
    draft.events.push(...decision.events)
    draft.state = decision.next.auction
  }

  /** The first page of maxima is opened by the commit that closes; whoever loads the auction asks for the rest. */
  async #reveal(draft: Draft): Promise<void> {
    const stored = await this.#deps.secrets.sealed(this.#auction.auctionId, REVEAL_PAGE)
    const sealed = [...stored, ...draft.sealed].slice(0, REVEAL_PAGE)
    const now = auctionNow(this.#deps.clock, draft.state.at)
    const decision = decide(
      { auction: draft.state, secrets: draft.secrets },
      { type: 'RevealMaxima', now, sealed },
    )
    if (!decision.accepted) return
    draft.events.push(...decision.events)
    draft.state = decision.next.auction
  }

  async #write(draft: Draft): Promise<void> {
    const { eventLog, outcomes, signer } = this.#deps
    const { auctionId, head } = this.#auction
    if (draft.events.length === 0) {
      if (draft.recorded.length > 0) await outcomes.record(draft.recorded)
      return
    }
    if (draft.events.length > MAX_EVENTS_PER_COMMIT)
      throw new Error('a batch made more events than a commit holds')
    const parts = { auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events: draft.events }
    const commit = sealCommit(parts, signer)
    await eventLog.append({
      commit,
      prevHash: head.hash,
      events: draft.events,
      state: draft.state,
      secret: { secrets: draft.secrets, sealed: draft.sealed },
      outcomes: draft.recorded,
    })
    const { state, secrets } = draft
    this.#auction = { auctionId, head: { seq: commit.lastSeq, hash: commit.hash }, state, secrets }
  }
}

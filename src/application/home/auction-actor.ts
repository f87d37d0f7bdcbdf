/** Long because the one writer's mailbox, batch and answers share one state, which nothing else may touch. */

import type { OpenedAuction } from '../../domain/auction.js'
import type { Head } from '../../domain/commit.js'
import { decide } from '../../domain/decide.js'
import { MAX_MANDATE_AGE_AT_HOME_MS } from '../../domain/limits.js'
import type { Home } from '../../domain/party.js'
import type { Secrets } from '../../domain/pricing.js'
import type { Consent, SubmitResult } from '../../ports/mesh/home-messages.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { SecretRepository } from '../../ports/store/auction-repository.js'
import { SeqConflictError } from '../../ports/store/event-log.js'
import type { HandoverParcel } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import type { Budgets } from '../budgets/budgets.js'
import { sealCommit } from '../log/commit.js'
import { MAX_EVENTS_PER_COMMIT } from '../log/commit-body.js'
import { AuctionHeldError, type HeldAuctions, NotWritableError } from '../log/held-auctions.js'
import { timeText } from '../log/time-text.js'
import { auctionNow, isClientCommand } from '../submissions/home-command.js'
import { isInTime, type SignedMandate } from '../submissions/mandate.js'
import type { HomeSubmission } from '../submissions/submission.js'
import { submitFailure } from '../submissions/submit-failure.js'
import { gather } from '../turns/gather.js'
import type { ActorMeasures } from './actor-measures.js'
import { BatchDraft, type BatchDraftDeps } from './batch-draft.js'
import type { CommandsUnderWay, UnderWay } from './commands-under-way.js'
import type { HomeLog } from './home-log.js'
import type { Outages } from './outages.js'

export interface AuctionActorDeps {
  readonly budgets: Budgets
  readonly clock: Clock
  readonly signer: Signer
  readonly eventLog: Pick<HomeLog, 'append'>
  readonly outcomes: OutcomeRepository
  readonly secrets: Pick<SecretRepository, 'sealed'>
  readonly logger: Logger
  readonly measures: ActorMeasures
  /** Of all auctions of this home. */
  readonly commands: CommandsUnderWay
  readonly outages: Pick<Outages, 'at' | 'begun' | 'over'>
  readonly heldAuctions: Pick<HeldAuctions, 'find' | 'outageAt'>
  readonly clusterNodes: BatchDraftDeps['clusterNodes']
}

export interface LoadedAuction {
  readonly auctionId: string
  readonly head: Head
  readonly state: OpenedAuction
  readonly secrets: Secrets
}

/** Commands that wait for one auction; beyond this, callers get BUSY. */
export const MAX_MAILBOX_COMMANDS = 10_000
/** Commands decided and written at once; each makes at most three events, so a commit stays within its bound. */
export const MAX_BATCH_COMMANDS = 256
/**
 * What the mandates of one batch may hold of commands, carried out or not. A mandate stands in the commit as a whole,
 * so a node that sends many long ones could otherwise make a home write more than anybody reads.
 */
const MAX_BATCH_DIGESTS = 8_192
/**
 * Batches of one auction on their way to the disk at once: one that is being written, and one behind it, so that the
 * disk need not wait. What arrives meanwhile gathers: batches grow as the disk takes longer, and by nothing else.
 */
const MAX_WRITES = 2
/** Maxima opened in one commit. */
export const REVEAL_PAGE = 1_000

/** What passes on what the next home needs; rejects where that does not succeed. */
export interface HandoverCourier {
  /** What has been stored so far. Commands are decided meanwhile. */
  stored(): Promise<void>
  /** What came after that, and the secrets; the auction is held meanwhile. */
  /** Resolves with the consent of the next home, which has all of it then. */
  rest(rest: HandoverParcel, head: Head): Promise<Consent>
}

const NONE_STORED: ReadonlyMap<string, RecordedOutcome> = new Map()

/** Outcomes that may come while what is stored is passed on. */
const MAX_TAPPED_OUTCOMES = 100_000

interface Handover {
  readonly to: Home
  readonly rest: HandoverCourier['rest']
  readonly settle: (result: SubmitResult) => void
  readonly fail: (error: unknown) => void
}

interface Waiting {
  readonly submission: HomeSubmission
  /** Monotonic. */
  readonly sinceMs: number
  /** The id of a client's command, from when it is taken up. */
  underWay: UnderWay | null
}

/**
 * The one writer of one auction's log. Commands wait in a bounded mailbox; those that wait are decided in order of
 * arrival and written as one commit; nobody is answered before that commit is durable. While commits are being
 * written, the next batch is decided against the newest state: it chains on to them, so that if one of them fails,
 * the log refuses those behind it. After that this actor is broken, and the auction is loaded afresh.
 */
export class AuctionActor {
  readonly #deps: AuctionActorDeps
  readonly auctionId: string
  readonly #load: () => Promise<LoadedAuction | null>
  /** The newest state, part of which may still be on its way to the disk; null until it has been loaded. */
  #auction: LoadedAuction | null = null
  #mailbox: Waiting[] = []
  #loading: Promise<void> | null = null
  #running: Promise<void> | null = null
  #broken = false
  /** The answer to the commands behind a failed load or write, if that is why none of them can be done here. */
  #refusal: SubmitResult = LOADED_AGAIN
  readonly #writes = new Set<Promise<void>>()
  /** Batches on their way to the disk. */
  readonly #drafts = new Set<BatchDraft>()
  /** Collects what is decided while a handover is under way. */
  #tap: BatchDraft[] | null = null
  #handover: Handover | null = null
  /** Ends a wait for commands. */
  #arrived: () => void = () => {}

  /** Loads the auction when the first command arrives; null from `load`: this node is not its home. */
  constructor(deps: AuctionActorDeps, auctionId: string, load: () => Promise<LoadedAuction | null>) {
    this.#deps = deps
    this.auctionId = auctionId
    this.#load = load
  }

  get idle(): boolean {
    return this.#running === null && this.#tap === null
  }

  /** True after a failed load or write: what the log holds is not known here, so a new actor has to look. */
  get broken(): boolean {
    return this.#broken
  }

  /** True while this node is the auction's home, for all that is known here. */
  get hasLoaded(): boolean {
    return this.#auction !== null && !this.#broken
  }

  /** What it knows of the auction may not be so any more: the next command is for a new actor. */
  retire(): void {
    this.#broken = true
  }

  /** Another node is the home: the next command finds out. */
  depose(): void {
    this.#refusal = notHome()
    this.#broken = true
  }

  /** Answers once the command's outcome is durable, or with why there is none. */
  enqueue(submission: HomeSubmission): void {
    if (this.#mailbox.length >= MAX_MAILBOX_COMMANDS) {
      submission.settle(submitFailure('BUSY', 'too many commands wait for this auction; try again in a moment'))
      return
    }
    this.#mailbox.push({ submission, sinceMs: this.#deps.clock.monotonicMs(), underWay: null })
    this.#running ??= this.#drain()
    this.#arrived()
  }

  /** Commands that wait to be decided. */
  get waiting(): number {
    return this.#mailbox.length
  }

  /**
   * Makes another node the home, once the courier has given it all it needs. Rejects with the courier's error, and goes
   * on then. Commands that arrive while the auction is held wait, and are answered NOT_HOME if it moves.
   */
  async handOver(to: Home, courier: HandoverCourier): Promise<SubmitResult> {
    if (this.#tap !== null) return submitFailure('BUSY', 'the auction is being handed over already')
    this.#tap = [...this.#drafts]
    try {
      // In a cluster loading brings what a home before has stored.
      await this.#ready()
      if (this.#auction === null) return this.#refusal
      await courier.stored()
      return await new Promise<SubmitResult>((settle, fail) => {
        this.#handover = { to, rest: courier.rest, settle, fail }
        this.#running ??= this.#drain()
        this.#arrived()
      })
    } finally {
      this.#tap = null
    }
  }

  get #current(): LoadedAuction {
    if (this.#auction === null) throw new Error('the auction has not been loaded')
    return this.#auction
  }

  /** Resolves when nothing is left to do. */
  async settled(): Promise<void> {
    while (this.#running !== null) await this.#running
  }

  async #drain(): Promise<void> {
    await gather()
    if (this.#auction === null) await this.#ready()
    while (this.#mailbox.length > 0 || this.#writes.size > 0 || this.#handover !== null) {
      if (this.#broken) this.#refuseAll()
      this.#refuseHeld()
      if (this.#handover !== null) {
        await Promise.all(this.#writes)
        await this.#move(this.#handover)
        continue
      }
      if (this.#mailbox.length === 0 || this.#writes.size >= MAX_WRITES) {
        await this.#written()
        continue
      }
      const batch = this.#taken(this.#inTime(this.#nextBatch()))
      if (batch.length === 0) continue
      try {
        await this.#process(batch)
      } catch (error) {
        this.#fail(batch, error)
        this.#release(batch)
      }
    }
    this.#running = null
  }

  /** The next commands to decide, as many as their commit has room for. */
  #nextBatch(): Waiting[] {
    const mandates = new Set<SignedMandate>()
    let digests = 0
    let count = 0
    for (const { submission } of this.#mailbox) {
      const { mandated } = submission
      if (count >= MAX_BATCH_COMMANDS) break
      if (mandated !== undefined && !mandates.has(mandated.mandate)) {
        digests += mandated.mandate.digests.length
        if (count > 0 && digests > MAX_BATCH_DIGESTS) break
        mandates.add(mandated.mandate)
      }
      count += 1
    }
    return this.#mailbox.splice(0, count)
  }

  /** Nothing is being written and nothing is decided while this runs. */
  async #move({ to, rest, settle, fail }: Handover): Promise<void> {
    this.#handover = null
    if (this.#broken) return settle(submitFailure('BUSY', 'the auction is being loaded again; try again'))
    try {
      const { auctionId, head, state, secrets } = this.#current
      const { status } = state
      const over = submitFailure('NOT_MOVED', `the auction is ${status}; only one that is not over moves`)
      if (status === 'closed' || status === 'cancelled') return settle(over)
      const consent = await rest({ ...tapped(this.#tap ?? []), secrets }, head)
      this.#demandWritable()
      const now = auctionNow(this.#deps.clock, state.at)
      const { cluster, signature } = consent
      const command = { type: 'HandOver', now, to, cluster, consent: signature } as const
      const decision = decide({ auction: state, secrets }, command)
      if (!decision.accepted) return settle(over)
      const { events, next } = decision
      const commit = sealCommit({ auctionId, firstSeq: head.seq + 1, prevHash: head.hash, events }, this.#deps.signer)
      this.#auction = null
      this.#broken = true
      await this.#deps.eventLog.append({ commit, prevHash: head.hash, events, state: next.auction })
      this.#answerAll(notHome())
      const { lastSeq: seq } = commit
      settle({
        ok: true,
        outcome: { status: 'accepted', commandId: commit.hash, auctionId, seq, at: command.now },
      })
    } catch (error) {
      if (error instanceof NotWritableError) settle(failureOf(error))
      else fail(error)
    }
  }

  /** Waits until a write has come to its end or, while there is room for another one, a command has arrived. */
  async #written(): Promise<void> {
    if (this.#writes.size === 0) return
    const room = this.#writes.size < MAX_WRITES && !this.#broken
    const arrival = new Promise<void>((resolve) => {
      this.#arrived = room ? resolve : () => {}
    })
    await Promise.race([...this.#writes, arrival])
    this.#arrived = () => {}
    await gather()
  }

  /** Resolves once the auction has been loaded, or cannot be. */
  #ready(): Promise<void> {
    this.#loading ??= this.#loadOnce()
    return this.#loading
  }

  async #loadOnce(): Promise<void> {
    try {
      this.#auction = await this.#load()
      if (this.#auction !== null) return
      this.#refusal = notHome()
    } catch (error) {
      if (error instanceof NotWritableError) this.#refusal = failureOf(error)
      else {
        this.#deps.logger.error({ err: error, auctionId: this.auctionId }, 'an auction could not be loaded')
        this.#refusal = submitFailure('BUSY', 'the auction could not be loaded; nothing was done, try again')
      }
    }
    this.#broken = true
    this.#refuseAll()
  }

  #answerAll(result: SubmitResult): void {
    for (const { submission } of this.#mailbox.splice(0)) submission.settle(result)
  }

  /** Whatever brought it, and however long this actor has been at it: nothing is decided once the auction is held. */
  #refuseHeld(): void {
    const held = this.#deps.heldAuctions.find(this.auctionId)
    if (held === null) return
    const failure = failureOf(new AuctionHeldError(held))
    this.#answerAll(failure)
    this.#handover?.settle(failure)
    this.#handover = null
    // Should it be held no more, it is looked at anew.
    this.#broken = true
  }

  /** It may have come to be held while this was being decided. */
  #demandWritable(): void {
    const held = this.#deps.heldAuctions.find(this.auctionId)
    if (held !== null) throw new AuctionHeldError(held)
  }

  /** What waits behind a failed write was never tried; the caller's next try finds a freshly loaded actor. */
  #refuseAll(): void {
    this.#answerAll(this.#refusal)
  }

  #fail(batch: readonly Waiting[], error: unknown): void {
    this.#broken = true
    const requestIds = requestIdsOf(batch)
    this.#deps.logger.error({ err: error, auctionId: this.auctionId, requestIds }, 'a batch of commands failed')
    const failure = failureOf(error)
    if (failure.code === 'DISK_FULL') this.#deps.outages.begun('disk-full')
    if (failure.code === 'NOT_HOME' || failure.code === 'LOG_UNREACHABLE') this.#refusal = failure
    for (const { submission } of batch) submission.settle(failure)
  }

  /** Without those whose ids are being decided elsewhere at this home: they are refused alone. */
  #taken(batch: readonly Waiting[]): readonly Waiting[] {
    let refused = 0
    for (const waiting of batch) {
      const { command } = waiting.submission
      if (!isClientCommand(command)) continue
      waiting.underWay = this.#deps.commands.take(command.commandId, this.auctionId)
      if (waiting.underWay === null) refused += 1
    }
    if (refused === 0) return batch
    const isRefused = ({ submission: { command }, underWay }: Waiting) => underWay === null && isClientCommand(command)
    for (const waiting of batch) if (isRefused(waiting)) waiting.submission.settle(ID_UNDER_WAY)
    return batch.filter((waiting) => !isRefused(waiting))
  }

  #release(batch: readonly Waiting[]): void {
    for (const { underWay } of batch) if (underWay !== null) this.#deps.commands.release(underWay)
  }

  async #process(batch: readonly Waiting[]): Promise<void> {
    const { clock, measures } = this.#deps
    const takenMs = clock.monotonicMs()
    measures.mailbox.observe((takenMs - (batch[0]?.sinceMs ?? takenMs)) / 1_000)
    measures.batch.observe(batch.length)
    const stored = await this.#storedOutcomes(batch)
    const { state } = this.#current
    const draft = new BatchDraft(this.#deps, this.#current, stored)
    const results = batch.map(({ submission, underWay }) => draft.decide(submission, underWay))
    const closes = state.status !== 'closed' && draft.state.status === 'closed'
    if (closes || batch.some(({ submission }) => submission.command.type === 'reveal')) await this.#reveal(draft)
    measures.decide.observe((clock.monotonicMs() - takenMs) / 1_000)
    this.#write(batch, draft, results)
  }

  /**
   * Without those whose mandates are too old or too new, to whom nothing was done: signed again, the same command may
   * pass.
   */
  #inTime(batch: readonly Waiting[]): readonly Waiting[] {
    const now = auctionNow(this.#deps.clock, this.#current.state.at)
    const isLate = ({ submission: { mandated } }: Waiting) =>
      mandated !== undefined && !isInTime(mandated.mandate.signedAt, now, MAX_MANDATE_AGE_AT_HOME_MS)
    if (!batch.some(isLate)) return batch
    for (const { submission } of batch.filter(isLate)) {
      const message = outOfTime(submission.mandated?.mandate.signedAt ?? 0, now)
      submission.settle(submitFailure('MANDATE_OUT_OF_TIME', message))
    }
    return batch.filter((one) => !isLate(one))
  }

  /** Those that are stored; of the others, their ids know. */
  async #storedOutcomes(batch: readonly Waiting[]): Promise<ReadonlyMap<string, RecordedOutcome>> {
    const ids: string[] = []
    for (const { underWay } of batch) if (underWay !== null && underWay.record === null) ids.push(underWay.commandId)
    return ids.length === 0 ? NONE_STORED : this.#deps.outcomes.find(ids)
  }

  /** The first page of maxima is opened by the commit that closes; whoever loads the auction asks for the rest. */
  async #reveal(draft: BatchDraft): Promise<void> {
    await Promise.all(this.#writes)
    const stored = await this.#deps.secrets.sealed(this.auctionId, REVEAL_PAGE)
    draft.reveal([...stored, ...draft.sealed].slice(0, REVEAL_PAGE))
  }

  /** Starts the write and answers after it. */
  #write(batch: readonly Waiting[], draft: BatchDraft, results: readonly SubmitResult[]): void {
    const { clock, logger, measures, outages } = this.#deps
    const startedMs = clock.monotonicMs()
    this.#drafts.add(draft)
    this.#tap?.push(draft)
    const write = this.#store(draft)
      .then(
        () => {
          outages.over('disk-full')
          measures.append.observe((clock.monotonicMs() - startedMs) / 1_000)
          measures.decided(results)
          const requestIds = requestIdsOf(batch)
          if (requestIds.length > 0)
            logger.debug({ auctionId: this.auctionId, requestIds }, 'commands were decided and stored')
          batch.forEach(({ submission }, i) => {
            submission.settle(results[i] as SubmitResult)
          })
        },
        (error: unknown) => this.#fail(batch, error),
      )
      .finally(() => {
        this.#release(batch)
        this.#writes.delete(write)
        this.#drafts.delete(draft)
      })
    this.#writes.add(write)
  }

  async #store(draft: BatchDraft): Promise<void> {
    const { events, mandates, state, secrets, sealed, recorded: outcomes } = draft
    if (events.length === 0) {
      // Decided against writes under way: no answer before theirs, and none at all if they fail.
      await Promise.all(this.#writes)
      if (this.#broken) throw new SeqConflictError(this.auctionId, state.seq + 1, null)
      if (outcomes.length > 0) await this.#deps.outcomes.record(outcomes)
      return
    }
    this.#demandWritable()
    if (events.length > MAX_EVENTS_PER_COMMIT) throw new Error('a batch made more events than a commit holds')
    const { auctionId, head } = this.#current
    const prevHash = head.hash
    const parts = { auctionId, firstSeq: head.seq + 1, prevHash, events, mandates }
    const commit = sealCommit(parts, this.#deps.signer)
    this.#auction = { auctionId, head: { seq: commit.lastSeq, hash: commit.hash }, state, secrets }
    await this.#deps.eventLog.append({
      commit,
      prevHash,
      events,
      state,
      secret: { secrets, sealed },
      outcomes,
    })
  }
}

const LOADED_AGAIN = submitFailure('BUSY', 'the auction is being loaded again; nothing was done, try again')

/** The answer to a command whose id another one has at this moment. */
export const ID_UNDER_WAY = submitFailure(
  'BUSY',
  'another command with this id is being decided; nothing was done, ask again',
)

/** The answer to a command that an error has kept from being decided or stored. */
export function failureOf(error: unknown): Extract<SubmitResult, { ok: false }> {
  return error instanceof NotWritableError ? submitFailure(error.code, error.message) : submitFailure(error)
}

function outOfTime(signedAt: number, now: number): string {
  const [signed, here] = [signedAt, now].map(timeText)
  return `signed at ${signed} by your node's clock, and it is ${here} by the home's: they may be ${MAX_MANDATE_AGE_AT_HOME_MS / 60_000} minutes apart; nothing was done`
}

function notHome(): SubmitResult {
  return submitFailure('NOT_HOME', 'this node is not the home of that auction; nothing was done')
}

function requestIdsOf(batch: readonly Waiting[]): string[] {
  const ids: string[] = []
  for (const { submission } of batch) if (submission.requestId !== undefined) ids.push(submission.requestId)
  return ids
}

function tapped(drafts: readonly BatchDraft[]): Omit<HandoverParcel, 'secrets'> {
  const outcomes = drafts.flatMap(({ recorded }) => recorded)
  if (outcomes.length > MAX_TAPPED_OUTCOMES)
    throw new NodeError(
      'BUSY',
      'too many commands came while the auction was being passed on; try again when it is calmer',
    )
  return { outcomes, sealed: drafts.flatMap(({ sealed }) => sealed) }
}

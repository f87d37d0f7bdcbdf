/**
 * Room `replication`: copies of auctions whose home is elsewhere: push, pull, comparing digests.
 *
 * Long because a commit's checks are read in the order in which they are made.
 */

import { type Auction, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { Commit, Head } from '../../domain/commit.js'
import { commandIdOf } from '../../domain/events.js'
import type { MemberNews } from '../../ports/members/member-news.js'
import type { MandateChecker } from '../../ports/mesh/mandate-checker.js'
import type { StoredHead } from '../../ports/mesh/sync-messages.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import { type Append, SeqConflictError } from '../../ports/store/event-log.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { BulkVerifier } from '../../ports/system/signer.js'
import type { Budgets } from '../budgets/budgets.js'
import { authorOf, dateRule, stateAfter } from '../log/check-commit.js'
import { BadCommitError, isSigned, UNSIGNED } from '../log/commit.js'
import type { HeldAuctions } from '../log/held-auctions.js'
import { moveRule } from '../log/move-rule.js'
import type { PublishingEventLog } from '../log/publishing-event-log.js'
import { CHECK_EACH, FEWEST, type SignatureRule } from '../log/signature-rules.js'
import type { CommitBody } from '../log/written-body.js'
import type { EquivocationWatch } from '../proof/equivocation-watch.js'
import { HomeAdmission, type HomeAdmissionDeps, type HomeRule } from './home-admission.js'
import { type Allowed, HomeAllowance } from './home-allowance.js'
import type { IdSet } from './id-set.js'
import { commandIdsIn, LoggedIds } from './logged-ids.js'
import { PulledCommits } from './pulled-commits.js'
import { type CommitReader, PushedCommits } from './pushed-commits.js'

export interface ReplicatorDeps extends HomeAdmissionDeps {
  readonly budgets: Budgets
  readonly memberNews: MemberNews
  readonly eventLog: Pick<PublishingEventLog, 'append' | 'onPublished' | 'read' | 'usage'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly clock: Pick<Clock, 'now'>
  readonly random: Random
  readonly equivocationWatch: Pick<EquivocationWatch, 'offered'>
  readonly mandateChecker: MandateChecker
  readonly verifier: BulkVerifier
  readonly heldAuctions: Pick<HeldAuctions, 'hold'>
  readonly logger: Logger
}

export interface ReplicatorOptions {
  readonly nodeId: string
  /** Whether another log than its own decides about the auction: what this node has signed may come from there. */
  readonly isShared?: ((state: OpenedAuction) => boolean) | undefined
}

/** What became of commits that were taken in. */
export interface Intake {
  readonly stored: number
  /** Events in them. */
  readonly events: number
  /** How far each auction's copy goes now. */
  readonly heads: readonly StoredHead[]
  /** Auctions that lack commits before these: pull from `fromSeq` on, to `untilSeq` at least. */
  readonly gaps: readonly {
    readonly auctionId: string
    readonly fromSeq: number
    readonly untilSeq: number
  }[]
  /** What was refused, and why; nothing of an auction is stored past its first bad commit. */
  readonly refused: readonly BadCommitError[]
  /** Auctions of which the rest is left out, because this node keeps as much of their author's as it ever will. */
  readonly spent: readonly { readonly auctionId: string; readonly author: string }[]
}

/** Replicas' newest states kept in memory. */
const MAX_CACHED_REPLICAS = 2_000
/** What is checked of signatures. */
interface Rules {
  readonly signatures: SignatureRule
  readonly reader: CommitReader
  /** Whether more is to be expected soon: most of what a bulk pull brings is old. */
  readonly remembered: boolean
  /** Whether this node takes what it has written itself. */
  readonly own: boolean
}

/** Only this node's key makes such a signature. */
const BEHIND =
  'peers hold events that this node has signed and does not hold itself: its database is older than what it wrote'

const PULLED: Omit<Rules, 'reader'> = { signatures: FEWEST, remembered: false, own: false }
const NOTHING_TAKEN: Intake = { stored: 0, events: 0, heads: [], gaps: [], refused: [], spent: [] }

interface Replica {
  readonly head: Head | null
  readonly state: Auction
}

/**
 * Keeps replicas of auctions whose home is elsewhere. Nothing is believed because a peer says so: a commit is
 * stored only if its hash, its place in the chain, its author's signature and every event's legality hold.
 */
export class Replicator {
  readonly #deps: ReplicatorDeps
  readonly #nodeId: string
  readonly #isShared: (state: OpenedAuction) => boolean
  readonly #admission: HomeAdmission
  readonly #replicas = new Map<string, Replica>()
  readonly #queues = new Map<string, Promise<unknown>>()
  readonly #loggedIds: LoggedIds
  readonly #allowance: HomeAllowance
  readonly #pushedCommits: PushedCommits
  readonly #pulledCommits: PulledCommits
  #refusals = 0

  constructor(deps: ReplicatorDeps, options: ReplicatorOptions) {
    this.#deps = deps
    this.#isShared = options.isShared ?? (() => false)
    this.#loggedIds = new LoggedIds(deps)
    this.#allowance = new HomeAllowance(deps)
    this.#nodeId = options.nodeId
    this.#admission = new HomeAdmission(deps)
    // A node that was home meanwhile has written past what is remembered.
    deps.eventLog.onPublished(({ commit }) => this.#replicas.delete(commit.auctionId))
    this.#pushedCommits = new PushedCommits(deps)
    this.#pulledCommits = new PulledCommits(deps)
  }

  /** How many commits were refused since the start. */
  get refusals(): number {
    return this.#refusals
  }

  /**
   * Takes in commits, of one auction in ascending order, of any number of auctions. `from`: the peer that brought them;
   * null if none did. Rejects if the log fails, or what checks mandates does.
   */
  async ingest(commits: readonly Commit[], from: string | null = null): Promise<Intake> {
    const byAuction = new Map<string, Commit[]>()
    for (const commit of commits) {
      const group = byAuction.get(commit.auctionId)
      if (group) group.push(commit)
      else byAuction.set(commit.auctionId, [commit])
    }
    const reader = this.#pushedCommits.of(from)
    return this.#ingestAll(
      [...byAuction.values()],
      { signatures: CHECK_EACH, reader, remembered: true, own: false },
      from,
    )
  }

  /**
   * Takes in pages of a bulk pull, each of one auction in ascending order. The same checks, but that a signature speaks
   * for the commits before it as well (see `spokenFor`).
   */
  ingestPages(pages: readonly (readonly Commit[])[], from: string | null = null): Promise<Intake> {
    return this.#ingestAll(pages, { ...PULLED, reader: this.#pulledCommits.reader() }, from)
  }

  /**
   * Takes in commits of an auction whose home this node is, and which it has lost: what it has signed itself, and no
   * other node may have written. Every signature is checked.
   */
  async takeBack(commits: readonly Commit[], from: string): Promise<Intake> {
    const reader = this.#pulledCommits.reader()
    return this.#ingestAll([commits], { ...PULLED, signatures: CHECK_EACH, reader, own: true }, from)
  }

  async #ingestAll(groups: readonly (readonly Commit[])[], rules: Rules, from: string | null): Promise<Intake> {
    const intakes = await Promise.all(groups.map((group) => this.#enqueue(group, rules, from)))
    return {
      stored: intakes.reduce((sum, { stored }) => sum + stored, 0),
      events: intakes.reduce((sum, { events }) => sum + events, 0),
      heads: intakes.flatMap(({ heads }) => heads),
      gaps: intakes.flatMap(({ gaps }) => gaps),
      refused: intakes.flatMap(({ refused }) => refused),
      spent: intakes.flatMap(({ spent }) => spent),
    }
  }

  /** One intake at a time for an auction. */
  async #enqueue(commits: readonly Commit[], rules: Rules, from: string | null): Promise<Intake> {
    const auctionId = commits[0]?.auctionId
    if (auctionId === undefined) return NOTHING_TAKEN
    const before = this.#queues.get(auctionId) ?? Promise.resolve()
    const ingest = () => this.#ingestAuction(auctionId, commits, rules, from)
    const turn = before.then(ingest, ingest)
    this.#queues.set(auctionId, turn)
    try {
      return await turn
    } finally {
      if (this.#queues.get(auctionId) === turn) this.#queues.delete(auctionId)
    }
  }

  async #ingestAuction(
    auctionId: string,
    commits: readonly Commit[],
    { signatures, reader, remembered, own }: Rules,
    from: string | null,
  ): Promise<Intake> {
    const { head: headBefore, state: before } = await this.#replica(auctionId)
    let [head, state] = [headBefore, before]
    const seqBefore = head?.seq ?? 0
    const sound: Append[] = []
    const refused: BadCommitError[] = []
    const gaps: { auctionId: string; fromSeq: number; untilSeq: number }[] = []
    /** Not what is stored where they belong: the newest such commit speaks for those before it. */
    let doubtful: Commit | null = null
    for (const commit of commits) {
      const seq = head?.seq ?? 0
      if (commit.lastSeq <= seq) {
        if (commit.hash !== head?.hash) doubtful = commit
        continue
      }
      if (commit.firstSeq > seq + 1) {
        gaps.push({ auctionId, fromSeq: seq + 1, untilSeq: commit.lastSeq })
        break
      }
      try {
        const read = reader.read(commit, state)
        // To wait costs each commit, and hardly any is checked elsewhere.
        const body = read instanceof Promise ? await read : read
        const next = this.#check(commit, body, head, state, own)
        // As hardly any makes a home.
        const stranger = this.#admission.rule(body)
        if (stranger !== null) await this.#askAbout(stranger, commit, body, from)
        const beside = reader.checkMandates(commit, body, next)
        if (beside !== null) await beside
        state = next
        head = { seq: commit.lastSeq, hash: commit.hash }
        const { prevHash, events } = body
        sound.push({ commit, prevHash, events, state: next })
      } catch (error) {
        if (!(error instanceof BadCommitError)) throw error
        doubtful = commit
        refused.push(this.#refused(error, from))
        break
      }
    }
    const { covered: signed, unsigned } = await signatures(sound, this.#deps.verifier)
    if (unsigned !== null) {
      doubtful = unsigned
      refused.push(this.#refused(new BadCommitError(unsigned, UNSIGNED), from))
    }
    const { allowed, spentBy } = await this.#allowed(signed, signatures)
    const known = await this.#idsFor(auctionId, seqBefore, allowed)
    const { covered, ids, repeated } = await this.#unrepeated(allowed, known, signatures)
    this.#allowance.giveBack(allowed.slice(covered.length))
    if (repeated !== null) refused.push(this.#refused(repeated, from))
    const appends = covered.map((entry) => this.#deps.eventLog.append(entry))
    try {
      await Promise.all(appends)
      const last = covered.at(-1)
      if (last) this.#replicas.delete(auctionId)
      this.#keepIds(auctionId, ids, before, last?.state ?? before)
      if (last && remembered) this.#remember(auctionId, { head: headOf(last), state: last.state })
    } catch (error) {
      // Some of them may have been stored: read the log again next time.
      await Promise.allSettled(appends)
      this.#allowance.giveBack(covered)
      this.#replicas.delete(auctionId)
      this.#loggedIds.forget(auctionId)
      // Another writer to this store was first: what is there then is looked at with the next intake.
      if (error instanceof SeqConflictError) return { ...NOTHING_TAKEN, refused }
      throw error
    }
    if (doubtful !== null) await this.#deps.equivocationWatch.offered(doubtful)
    const events = covered.reduce((sum, entry) => sum + entry.events.length, 0)
    const seq = covered.at(-1)?.commit.lastSeq ?? seqBefore
    const spent = spentBy === null ? [] : [{ auctionId, author: spentBy }]
    return { stored: covered.length, events, heads: [{ auctionId, seq }], gaps, refused, spent }
  }

  /** As many as their authors have room for, signed as they have to be without those after them. */
  async #allowed(signed: readonly Append[], signatures: SignatureRule): Promise<Allowed> {
    const taken = await this.#allowance.take(signed)
    if (taken.spentBy === null) return taken
    const { covered } = await signatures(taken.allowed, this.#deps.verifier)
    this.#allowance.giveBack(taken.allowed.slice(covered.length))
    return { allowed: covered, spentBy: taken.spentBy }
  }

  /** Null if none of these commits carries out a command. */
  async #idsFor(auctionId: string, seq: number, signed: readonly Append[]): Promise<IdSet | null> {
    const isAny = signed.some(({ events }) => events.some((event) => commandIdOf(event) !== null))
    return isAny ? this.#loggedIds.upTo(auctionId, seq) : null
  }

  /**
   * The commits before the first one with a command that stands in the log already, signed as they have to be without
   * those after them.
   */
  async #unrepeated(
    signed: readonly Append[],
    ids: IdSet | null,
    signatures: SignatureRule,
  ): Promise<{
    readonly covered: readonly Append[]
    readonly ids: IdSet | null
    readonly repeated: BadCommitError | null
  }> {
    for (const [i, { commit, events }] of ids === null ? [] : signed.entries()) {
      const own = commandIdsIn(events)
      const place = ids?.addAll(own) ?? -1
      if (place === -1) continue
      const repeated = new BadCommitError(commit, `${own[place]} stands in the log twice`)
      const { covered } = await signatures(signed.slice(0, i), this.#deps.verifier)
      if (covered.length === i) return { covered, ids, repeated }
      this.#loggedIds.forget(commit.auctionId)
      return { covered, ids: null, repeated }
    }
    return { covered: signed, ids, repeated: null }
  }

  /** Nobody bids any more once an auction is over. */
  #keepIds(auctionId: string, ids: IdSet | null, before: Auction, after: Auction): void {
    if (after.status !== 'open' && after.status !== 'scheduled') this.#loggedIds.forget(auctionId)
    else if (ids === null) this.#loggedIds.moveOn(auctionId, before.seq, after.seq)
    else this.#loggedIds.keep(auctionId, after.seq, ids)
  }

  #refused(error: BadCommitError, from: string | null): BadCommitError {
    const { auctionId, firstSeq: seq } = error.commit
    this.#refusals += 1
    this.#deps.logger.warn({ auctionId, seq, reason: error.reason, from }, 'a commit was refused')
    return error
  }

  /** Throws `BadCommitError` unless the commit is the rightful next one, its signature left aside. */
  #check(commit: Commit, body: CommitBody, head: Head | null, state: Auction, own: boolean): OpenedAuction {
    if (body.prevHash !== (head?.hash ?? null)) throw new BadCommitError(commit, 'it does not follow our last commit')
    const next = stateAfter(commit, body, state)
    const tooEarly = dateRule(next.at, this.#deps.clock.now())
    if (tooEarly !== null) throw new BadCommitError(commit, tooEarly)
    const unwilling = state.status === 'unopened' ? null : moveRule(commit, body, state, this.#deps.verifier)
    if (unwilling !== null) throw new BadCommitError(commit, unwilling)
    if (!own && authorOf(body, state).nodeId === this.#nodeId && !this.#isShared(next)) {
      if (isSigned(commit, this.#deps.verifier)) this.#deps.heldAuctions.hold(commit.auctionId, 'behind', BEHIND)
      throw new BadCommitError(commit, 'this node is its home and did not write it')
    }
    return next
  }

  /** An auction of a new member may arrive before the member list names that member. */
  async #askAbout(stranger: HomeRule, commit: Commit, body: CommitBody, from: string | null): Promise<void> {
    if (stranger.mayChange && from !== null) await this.#deps.memberNews.ask(from)
    const found = this.#admission.rule(body)
    if (found !== null) throw new BadCommitError(commit, found.rule)
  }

  async #replica(auctionId: string): Promise<Replica> {
    const cached = this.#replicas.get(auctionId)
    if (cached) return cached
    const record = await this.#deps.auctions.find(auctionId)
    return record ? { head: record.head, state: record.state } : { head: null, state: UNOPENED }
  }

  #remember(auctionId: string, replica: Replica): void {
    // This node writes its log from here on, past what would be remembered.
    if (replica.state.status !== 'unopened' && replica.state.home.nodeId === this.#nodeId) return
    if (this.#replicas.size >= MAX_CACHED_REPLICAS) {
      const oldest = this.#replicas.keys().next()
      if (!oldest.done) this.#replicas.delete(oldest.value)
    }
    this.#replicas.set(auctionId, replica)
  }
}

function headOf({ commit }: Append): Head {
  return { seq: commit.lastSeq, hash: commit.hash }
}

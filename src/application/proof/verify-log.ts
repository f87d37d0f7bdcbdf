/**
 * Room `proof`: showing what happened: exports, what `verify` checks, proofs against homes.
 *
 * Long because what `verify` checks stands in one place, in the order in which it is checked.
 */

import { randomInt } from 'node:crypto'
import { type Auction, type Closed, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import {
  type AuctionEvent,
  type AuctionExtended,
  type AuctionOpened,
  type AuctionTakenOver,
  commandIdOf,
  type MaximaRevealed,
  type Opening,
} from '../../domain/events.js'
import { evolve, IllegalEventError } from '../../domain/evolve.js'
import type { Home } from '../../domain/party.js'
import { PriceRecheck, type PriceStep, UnsoundPriceError } from '../../domain/recheck.js'
import type { MandateChecker, MandateFault } from '../../ports/mesh/mandate-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { authorOf, keyRule, unfinishedRule } from '../log/check-commit.js'
import { BadCommitError, isSigned, readCommit } from '../log/commit.js'
import { commitmentOf, RESERVE_SCOPE } from '../log/commitment.js'
import { BYTES32, SIGNATURE } from '../log/input-schemas.js'
import { isMove, moveRule } from '../log/move-rule.js'
import type { CommitBody } from '../log/written-body.js'
import { mandateFault, mandateRule } from '../submissions/check-mandates.js'
import { sellerFactsOf } from '../submissions/mandate.js'
import { BidTable, EVENT_OF_KIND, type LoggedBid } from './bid-table.js'
import { ExportFormatError, type Place, type PlacedCommit } from './export-format.js'
import { IdIndex } from './id-index.js'
import { decideAgain, isLost, type MaximaLoss } from './maxima-lost.js'
import { PendingChecks } from './pending-checks.js'

/** What is wrong with a log, and where. */
export interface Finding {
  /**
   * `FILE`: the file is not as it was written; `COMMIT`: a commit does not bear out what it claims, or does not follow
   * the one before; `AUTHOR`, `SIGNATURE`: it is not its home's; `EVENT`: an event breaks a rule of the auction;
   * `BID_ID`: a command counts twice; `COMMITMENT`: an opening is not what was committed to; `PRICE`: by the opened
   * maxima, price, leader or reserve should have been others; `MANDATE`: a bid, or what the seller did, is in no
   * mandate of whoever may give it; `RECEIPT`: a bid's receipt says otherwise.
   */
  readonly code:
    | 'FILE'
    | 'COMMIT'
    | 'AUTHOR'
    | 'SIGNATURE'
    | 'EVENT'
    | 'BID_ID'
    | 'COMMITMENT'
    | 'PRICE'
    | 'MANDATE'
    | 'RECEIPT'
  readonly rule: string
  /** Place in the file; null if there is none. */
  readonly place: Place | null
  /** The commit, where it could be read that far. */
  readonly commit: { readonly firstSeq: number; readonly lastSeq: number; readonly hash: string } | null
  readonly event: { readonly seq: number; readonly type: AuctionEvent['type'] } | null
}

/** A home, and the event that made it one. */
export interface LoggedHome extends Home {
  readonly since: { readonly seq: number; readonly at: number }
  /** Null if it opened the auction, or the home before has handed it over. */
  readonly takenOver: LoggedTakeover | null
}

export interface LoggedTakeover extends Pick<AuctionTakenOver, 'why'> {
  /** When the home before was last heard of. */
  readonly silentSince: number
  /** The end that it had to move, and where to; null if that lay far enough ahead. */
  readonly extended: { readonly from: number; readonly to: number } | null
}

export interface LogSummary {
  readonly auctionId: string
  readonly state: OpenedAuction
  /** Whoever wrote it, in order: the home that opened it, and those that came after it. */
  readonly homes: readonly LoggedHome[]
  /** Where its homes say that they have lost maxima. */
  readonly losses: readonly MaximaLoss[]
  readonly headHash: string
  readonly commits: number
  readonly events: number
  readonly signaturesChecked: number
  /** Signatures of those who brought the bids. */
  readonly mandatesChecked: number
  /** Maxima that were committed to and opened, all of which were checked. */
  readonly opened: number
  /** Commitments not opened: before the close all of them; afterwards the winner's above the hammer price. */
  readonly sealed: number
  /**
   * `rerun`: every price was decided again from the opened maxima; `partly`: some maxima are not opened yet, what
   * rests on them was not; `not-yet`: the auction has not closed; `none`: it was cancelled.
   */
  readonly decision: 'rerun' | 'partly' | 'not-yet' | 'none'
}

export type Verification =
  | { readonly valid: true; readonly summary: LogSummary; readonly explain: () => Iterable<ExplainedBid> }
  | { readonly valid: false; readonly finding: Finding; readonly commits: number; readonly events: number }

export interface ExplainedBid {
  readonly bid: LoggedBid
  /** Null while the maxima behind the price are secret. */
  readonly step: PriceStep | null
}

export interface VerifyDeps {
  readonly verifier: SignatureVerifier
  /** Where left out, mandates are checked in place. */
  readonly mandateChecker?: MandateChecker
}

export interface VerifyOptions {
  /** Check every signature. Otherwise the newest of each author, which speaks for all before it. */
  readonly allSignatures?: boolean
  readonly onProgress?: (done: { commits: number; events: number }) => void
  /** Further checks of what the log says, once it has proven sound in itself. */
  readonly check?: (log: VerifiedLog) => Finding | null
}

export interface VerifiedLog {
  readonly summary: LogSummary
  readonly bids: BidTable
  /** Whose maxima that are shut lie above the price, if anybody's (see `BidTable.bids`). */
  readonly secretOf: string | null
  /** As the close has opened it; null: there is none; undefined: not opened yet. */
  readonly reserve: Opening | null | undefined
  /** Where the commit lies that holds this event. */
  at(seq: number): Pick<Finding, 'place' | 'commit'>
}

/**
 * Proves a log from nothing but itself: every hash, the chain, the authors' signatures, the ids, every event by the
 * rules, and, once the auction has closed, every price decided anew from the opened commitments. Reads it as a
 * stream; needs no node, network or database. Never throws for what a log may hold.
 */
export async function verifyLog(
  commits: AsyncIterable<PlacedCommit>,
  deps: VerifyDeps,
  options: VerifyOptions = {},
): Promise<Verification> {
  const log = new LogVerifier(deps, options)
  try {
    for await (const placed of commits) {
      log.add(placed)
      await log.settle(MAX_PENDING_CHECKS)
      options.onProgress?.(log.done)
    }
    await log.settle()
    return log.finish()
  } catch (caught) {
    // What comes first in the log is what is commitment.
    const error = await log.settle().then(
      () => caught,
      (earlier: unknown) => earlier,
    )
    if (error instanceof ExportFormatError) {
      const { rule, place } = error
      return { valid: false, finding: { code: 'FILE', rule, place, commit: null, event: null }, ...log.done }
    }
    if (error instanceof LogFindingError) return { valid: false, finding: error.finding, ...log.done }
    throw error
  }
}

/** Commits whose mandates are being checked while the log is read on. */
const MAX_PENDING_CHECKS = 256

type Refuse = (code: Finding['code'], rule: string) => Error

class LogFindingError extends Error {
  constructor(readonly finding: Finding) {
    super(finding.rule)
  }
}

class LogVerifier {
  readonly #deps: VerifyDeps
  readonly #pending = new PendingChecks()
  readonly #options: VerifyOptions
  readonly #bids = new BidTable(randomInt(2 ** 31))
  readonly #sellerIds = new IdIndex(randomInt(2 ** 31))
  #state: Auction = UNOPENED
  #opening: AuctionOpened | null = null
  #auctionId = ''
  #last: PlacedCommit | null = null
  #signatures = 0
  #mandatesChecked = 0
  #opened = 0
  #reserveOpened: Opening | null = null
  /** The winner, where all that is shut are maxima of theirs above the price. */
  #secretOf: string | null = null
  /** Where each commit lies, for findings that come late: first seq, line and offset, one after the other. */
  readonly #places: number[] = []
  readonly #hashes: string[] = []
  readonly #homes: LoggedHome[] = []
  readonly #losses: MaximaLoss[] = []

  constructor(deps: VerifyDeps, options: VerifyOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Waits for checks that are still being made; rejects with the first finding of theirs. */
  settle(most = 0): Promise<void> {
    return this.#pending.settle(most)
  }

  get done(): { commits: number; events: number } {
    return { commits: this.#hashes.length, events: this.#state.seq }
  }

  add(placed: PlacedCommit): void {
    const { commit, place } = placed
    const before = this.#state
    const body = this.#body(placed)
    const { events } = body
    this.#places.push(commit.firstSeq, place?.line ?? 0, place?.byteOffset ?? 0)
    this.#hashes.push(commit.hash)
    if (this.#auctionId === '') this.#auctionId = commit.auctionId
    for (let i = 0; i < events.length; i++) this.#event(placed, events[i] as AuctionEvent, commit.firstSeq + i)
    this.#author(placed, authorOf(body, before), events)
    this.#move(placed, body, before)
    if (this.#options.allSignatures) this.#signature(placed)
    else if (this.#last !== null && this.#last.commit.signer !== commit.signer) this.#signature(this.#last)
    this.#mandates(placed, body)
    this.#last = placed
  }

  /** The commit's events, once hash, ids, numbers and chain hold. */
  #body(placed: PlacedCommit): CommitBody {
    const { commit } = placed
    const refuse = (rule: string) => this.#refuse('COMMIT', rule, placed)
    let body: ReturnType<typeof readCommit>
    try {
      body = readCommit(commit)
    } catch (error) {
      if (error instanceof BadCommitError) throw refuse(error.reason)
      throw error
    }
    const last = this.#last?.commit
    if (last && commit.auctionId !== last.auctionId) throw refuse('it belongs to another auction')
    if (commit.firstSeq !== (last?.lastSeq ?? 0) + 1)
      throw refuse(`it begins at event ${commit.firstSeq}, event ${(last?.lastSeq ?? 0) + 1} comes next`)
    if (body.prevHash !== (last?.hash ?? null)) throw refuse('it does not follow the commit before it')
    return body
  }

  #event(placed: PlacedCommit, event: AuctionEvent, seq: number): void {
    const before = this.#state
    try {
      this.#state = evolve(before, event)
    } catch (error) {
      if (error instanceof IllegalEventError) throw this.#refuse('EVENT', error.message, placed, { seq, event })
      throw error
    }
    const refuse: Refuse = (code, rule) => this.#refuse(code, rule, placed, { seq, event })
    if (event.type === 'AuctionOpened') {
      this.#opening = event
      this.#homes.push({ ...event.home, since: { seq, at: event.at }, takenOver: null })
    } else if (isMove(event)) {
      const taken = event.type === 'AuctionTakenOver' ? event : null
      const takenOver = taken && { why: taken.why, silentSince: taken.since, extended: null }
      this.#homes.push({ ...event.to, since: { seq, at: event.at }, takenOver })
    } else if (event.type === 'AuctionExtended' && event.by === 'takeover') this.#lateTakeover(before, event)
    else if (event.type === 'MaximaLost') this.#losses.push({ seq, since: event.since })
    else if (event.type === 'MaximaRevealed') this.#reveal(event, refuse)
    else if (event.type === 'AuctionClosed') {
      this.#reserveOpened = event.reserve
      if (event.reserve !== null) this.#reserve(event.reserve, refuse)
    } else if (!this.#bids.add(seq, event)) throw refuse('BID_ID', 'this bid stands in the log twice')
    this.#commandId(event, refuse)
  }

  #lateTakeover(before: Auction, { closesAt }: AuctionExtended): void {
    const home = this.#homes.pop()
    if (!home?.takenOver || before.status === 'unopened') return
    const extended = { from: before.closesAt ?? closesAt, to: closesAt }
    this.#homes.push({ ...home, takenOver: { ...home.takenOver, extended } })
  }

  /** Bids are known to their table; the seller's commands share their ids with them. */
  #commandId(event: AuctionEvent, refuse: Refuse): void {
    const id = commandIdOf(event)
    if (id === null) return
    const isBid = 'bidId' in event
    const isNew = isBid ? this.#sellerIds.size === 0 || this.#sellerIds.find(id) === -1 : this.#sellerIds.add(id) !== -1
    if (!isNew || (!isBid && this.#bids.find(id) !== null))
      throw refuse('BID_ID', `command ${id} stands in the log twice`)
  }

  #reveal(event: MaximaRevealed, refuse: Refuse): void {
    for (const { bidId, amount, salt } of event.maxima) {
      const commitment = this.#bids.commitmentOf(bidId)
      if (commitment === undefined) throw refuse('COMMITMENT', `bid ${bidId} has no maximum left to open`)
      // Else a home could be rid of a maximum for a while, and seem to keep to it in the end.
      if (isLost(this.#losses, this.#bids.find(bidId)?.seq ?? 0))
        throw refuse('COMMITMENT', `the maximum of bid ${bidId} is opened, which its home had lost`)
      if (commitmentOf({ scope: this.#auctionId, id: bidId, amount, salt }) !== commitment)
        throw refuse('COMMITMENT', `the maximum opened for bid ${bidId} is not the one committed to`)
      this.#bids.open(bidId, amount)
      this.#opened += 1
    }
  }

  #reserve({ amount, salt }: Opening, refuse: Refuse): void {
    const { terms, commandId } = this.#opening as AuctionOpened
    const found = commitmentOf({ scope: RESERVE_SCOPE, id: commandId, amount, salt })
    if (found !== terms.reserveCommitment)
      throw refuse('COMMITMENT', 'the reserve opened at the close is not the one committed to')
  }

  #author(placed: PlacedCommit, home: Home, events: readonly AuctionEvent[]): void {
    const { signer, signature } = placed.commit
    const refuse = (rule: string) => this.#refuse('AUTHOR', rule, placed)
    const state = this.#state as OpenedAuction
    const badKey = keyRule(home) ?? keyRule(state.home)
    if (badKey !== null) throw refuse(badKey)
    if (signer !== home.publicKey || !BYTES32.test(signer)) throw refuse('its author is not the home')
    // Base64 leaves bits over, which no signature check would see change.
    if (!SIGNATURE.test(signature)) throw this.#refuse('SIGNATURE', 'the signature is malformed', placed)
    const unfinished = unfinishedRule({ events }, state)
    if (unfinished !== null) throw this.#refuse('EVENT', unfinished, placed)
  }

  /** Whoever has to agree to it has moved an auction. */
  #move(placed: PlacedCommit, body: CommitBody, before: Auction): void {
    if (before.status === 'unopened') return
    const rule = moveRule(placed.commit, body, before, this.#deps.verifier)
    if (rule !== null) throw this.#refuse('SIGNATURE', rule, placed)
  }

  /** Every bid, and whatever the seller does, is in the words of the node that brought it. */
  #mandates(placed: PlacedCommit, { events, mandates }: CommitBody): void {
    this.#mandatesChecked += mandates.length
    const refuse = (fault: MandateFault | null): Error | null => {
      if (fault === null) return null
      if (fault.kind === 'bad-signature') return this.#refuse('MANDATE', mandateRule(fault, 0), placed)
      const event = events[fault.event] as AuctionEvent
      const at = { seq: placed.commit.firstSeq + fault.event, event }
      return this.#refuse('MANDATE', mandateRule(fault, event.at), placed, at)
    }
    const { mandateChecker, verifier } = this.#deps
    const facts = { ...placed.commit, ...sellerFactsOf(this.#state as OpenedAuction) }
    const fault = mandateChecker
      ? mandateChecker.check(facts)
      : Promise.resolve(mandateFault(facts, { events, mandates }, verifier))
    this.#pending.add(fault.then(refuse))
  }

  #signature(placed: PlacedCommit): void {
    this.#signatures += 1
    if (!isSigned(placed.commit, this.#deps.verifier))
      throw this.#refuse('SIGNATURE', "the signature is not its author's", placed)
  }

  finish(): Verification {
    const state = this.#state
    if (this.#last === null || state.status === 'unopened') {
      throw new LogFindingError({
        code: 'FILE',
        rule: 'there is no commit',
        place: null,
        commit: null,
        event: null,
      })
    }
    if (!this.#options.allSignatures) this.#signature(this.#last)
    const partly = state.status === 'closed' && this.#rerun(state)
    const summary: LogSummary = {
      auctionId: this.#auctionId,
      state,
      homes: this.#homes,
      losses: this.#losses,
      headHash: this.#last.commit.hash,
      ...this.done,
      signaturesChecked: this.#signatures,
      mandatesChecked: this.#mandatesChecked,
      opened: this.#opened,
      sealed: this.#bids.secrets,
      decision: decisionOf(state, partly),
    }
    const finding = this.#options.check?.({
      summary,
      bids: this.#bids,
      secretOf: this.#secretOf,
      at: (seq: number) => this.#at(seq),
      reserve: state.status === 'closed' || state.terms.reserveCommitment === null ? this.#reserveOpened : undefined,
    })
    if (finding) throw new LogFindingError(finding)
    return { valid: true, summary, explain: () => this.#explain(state) }
  }

  /** Decides all bids again; returns whether some rest on maxima that nobody has opened. */
  #rerun(state: Closed): boolean {
    const winnerId = state.result.sold ? state.result.winner.id : null
    // Where the winner's shut maxima cannot all lie above the price, some of them have still to be opened, and nothing
    // is known of any.
    for (const secretOf of winnerId === null ? [null] : [winnerId, null]) {
      const { finding, partly } = this.#decidedAgain(state, secretOf)
      this.#secretOf = secretOf
      if (finding === null) return partly
      if (secretOf === null) throw new LogFindingError(finding)
    }
    return true
  }

  #decidedAgain(state: Closed, secretOf: string | null): { finding: Finding | null; partly: boolean } {
    const recheck = new PriceRecheck(state.terms, this.#reserveOpened)
    let partly = this.#losses.length > 0 && this.#bids.secrets > 0
    for (const { bid, step } of decideAgain(recheck, this.#bids.bids(secretOf), this.#losses)) {
      try {
        step()
      } catch (error) {
        if (!(error instanceof UnsoundPriceError)) throw error
        const event = { seq: bid.seq, type: EVENT_OF_KIND[bid.kind] }
        return { finding: { code: 'PRICE', rule: error.rule, event, ...this.#at(bid.seq) }, partly }
      }
      partly ||= bid.amount === null
    }
    return { finding: null, partly }
  }

  *#explain(state: OpenedAuction): Generator<ExplainedBid, void, undefined> {
    const recheck = state.status === 'closed' ? new PriceRecheck(state.terms, this.#reserveOpened) : null
    if (recheck === null) for (const bid of this.#bids.bids(this.#secretOf)) yield { bid, step: null }
    else
      for (const { bid, step } of decideAgain(recheck, this.#bids.bids(this.#secretOf), this.#losses))
        yield { bid, step: step() }
  }

  /** Of the commit that holds the event. */
  #at(seq: number): Pick<Finding, 'place' | 'commit'> {
    let low = 0
    let high = this.#hashes.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#places[3 * middle] as number) <= seq) low = middle
      else high = middle - 1
    }
    const [firstSeq = 0, line = 0, byteOffset = 0] = this.#places.slice(3 * low, 3 * low + 3)
    const lastSeq = (this.#places[3 * low + 3] ?? this.#state.seq + 1) - 1
    const hash = this.#hashes[low] ?? ''
    return { place: line === 0 ? null : { line, byteOffset }, commit: { firstSeq, lastSeq, hash } }
  }

  #refuse(
    code: Finding['code'],
    rule: string,
    { commit, place }: PlacedCommit,
    at?: { seq: number; event: AuctionEvent },
  ): LogFindingError {
    return new LogFindingError({
      code,
      rule,
      place,
      commit: spanOf(commit),
      event: at ? { seq: at.seq, type: at.event.type } : null,
    })
  }
}

function spanOf({ firstSeq, lastSeq, hash }: Commit): Finding['commit'] {
  return { firstSeq, lastSeq, hash }
}

function decisionOf(state: OpenedAuction, partly: boolean): LogSummary['decision'] {
  if (state.status === 'cancelled') return 'none'
  if (state.status !== 'closed') return 'not-yet'
  return partly ? 'partly' : 'rerun'
}

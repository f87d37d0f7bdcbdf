import { type Auction, type OpenedAuction, UNOPENED } from '../../domain/auction.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { Commit, Head } from '../../domain/commit.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import { evolve } from '../../domain/evolve.js'
import type { AuctionRecord, AuctionRepository, SecretRepository } from '../../ports/store/auction-repository.js'
import { type Append, type EventLog, LogBusyError } from '../../ports/store/event-log.js'
import type { HandoverPage, HandoverRepository } from '../../ports/store/handover-repository.js'
import type { OutcomeRepository, RecordedOutcome } from '../../ports/store/outcome-repository.js'
import { type SharedLog, SharedLogError, type SharedPage } from '../../ports/store/shared-log.js'
import type { Logger } from '../../ports/system/logger.js'
import { LogAwayError } from '../home/home-log.js'
import { AuctionHeldError, type HeldAuctions } from '../log/held-auctions.js'
import { KeptBeside } from '../log/kept-beside.js'
import { eventsOf, readBodyAgain } from '../log/written-body.js'
import type { EquivocationWatch } from '../proof/equivocation-watch.js'
import type { Replicator } from '../replication/replicator.js'
import { loggedOutcome } from '../submissions/logged-outcome.js'
import { InOrderOf } from '../turns/in-order.js'
import type { ClusterMeasures } from './cluster-measures.js'
import type { OwnCopies } from './own-copies.js'

export interface SharedAuctionsDeps {
  readonly sharedLog: Pick<SharedLog, 'append' | 'beside' | 'heads' | 'read' | 'record'>
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly equivocationWatch: Pick<EquivocationWatch, 'offered'>
  readonly eventLog: Pick<EventLog, 'read'>
  readonly handovers: Pick<HandoverRepository, 'keep' | 'page'>
  readonly heldAuctions: HeldAuctions
  readonly measures: ClusterMeasures
  readonly outcomes: Pick<OutcomeRepository, 'find'>
  readonly ownCopies: OwnCopies
  readonly replicator: Pick<Replicator, 'takeBack'>
  readonly secrets: SecretRepository
  readonly logger: Logger
}

export interface SharedAuctionsOptions {
  readonly nodeId: string
  /** Whether the log of this node's cluster decides about the auction. */
  readonly isShared: (state: OpenedAuction) => boolean
}

const PAGE = { commits: 256, bytes: 1024 * 1024 }
const ONE = { commits: 1, bytes: 1 }
/** Entries in one statement. */
const MAX_PUT_BACK = 256
/** Outcomes that are written at once. */
const MAX_RECORDED = 1_000
/** Others may write meanwhile. */
const MAX_ROUNDS = 8
const TWO_COMMITS =
  'the log of the cluster and the copies that its nodes hold have different commits at one place: the log was restored from a backup, or has lost its end, and went on without it'

/**
 * Keeps the own copies of the cluster's auctions and its log the same: what the log has and this node lacks is fetched;
 * what the log has lost and this node holds, signed, is put back word for word. Two commits at one place are a proof:
 * nothing goes on from there.
 */
export class SharedAuctions {
  readonly #deps: SharedAuctionsDeps
  readonly #nodeId: string
  readonly #isShared: SharedAuctionsOptions['isShared']
  readonly #turns = new InOrderOf<string>()
  #healed = 0

  constructor(deps: SharedAuctionsDeps, { nodeId, isShared }: SharedAuctionsOptions) {
    this.#deps = deps
    this.#nodeId = nodeId
    this.#isShared = isShared
  }

  /** Commits put back into the log since the start. */
  get healed(): number {
    return this.#healed
  }

  /**
   * Resolves with the auction as both have it, or as this node has it where no log is shared; null if there is none.
   * Rejects with `NotWritableError`.
   */
  reconcile(auctionId: string): Promise<AuctionRecord | null> {
    return this.#turns.run(auctionId, () => reached(() => this.#reconcile(auctionId)))
  }

  async #reconcile(auctionId: string): Promise<AuctionRecord | null> {
    const { auctions, heldAuctions, ownCopies, sharedLog } = this.#deps
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await ownCopies.settled(auctionId)
      const own = await auctions.find(auctionId)
      if (own !== null && !this.#isShared(own.state)) return own
      const head = (await sharedLog.heads([auctionId])).get(auctionId) ?? null
      if (own === null && head === null) return null
      if (own !== null && head !== null && isSame(own.head, head)) return own
      if (own !== null && own.head.seq > (head?.seq ?? 0)) await this.#putBack(own, head)
      else await this.#fetch(auctionId, own?.head ?? null)
      const held = heldAuctions.find(auctionId)
      if (held !== null) throw new AuctionHeldError(held)
    }
    throw new LogBusyError()
  }

  /** From the log into the own store, as a replica takes it. */
  async #fetch(auctionId: string, own: Head | null): Promise<void> {
    const { replicator, sharedLog } = this.#deps
    let [at] = own === null ? [] : await sharedLog.read(auctionId, own.seq, ONE)
    if (own !== null && !isAt(at, own)) return this.#holdForked(auctionId)
    for (;;) {
      const commits = await sharedLog.read(auctionId, (at?.lastSeq ?? 0) + 1, PAGE)
      if (commits.length === 0) return
      const { refused } = await replicator.takeBack(commits, 'the log of the cluster')
      const [bad] = refused
      if (bad !== undefined) throw bad
      at = commits.at(-1)
    }
  }

  /** The first commit in which the log differs is the proof. */
  async #holdForked(auctionId: string): Promise<void> {
    const { equivocationWatch, eventLog, heldAuctions, sharedLog } = this.#deps
    heldAuctions.hold(auctionId, 'forked', TWO_COMMITS)
    for (let seq = 1; ; ) {
      const theirs = await sharedLog.read(auctionId, seq, PAGE)
      const own = await eventLog.read(auctionId, seq, PAGE)
      const common = theirs.slice(0, own.length)
      const other = common.find(({ hash }, i) => hash !== own[i]?.hash)
      if (other !== undefined) return equivocationWatch.offered(other)
      const last = common.at(-1)
      if (last === undefined) return
      seq = last.lastSeq + 1
    }
  }

  /** From this node's store into the log, which has lost it, or never had it: the auction has just moved here. */
  async #putBack(own: AuctionRecord, head: Head | null): Promise<void> {
    const { auctionId } = own
    const { measures, logger, sharedLog } = this.#deps
    const lost = await this.#after(own, head)
    if (lost === null) return this.#holdForked(auctionId)
    for (let i = 0; i < lost.length; i += MAX_PUT_BACK) {
      const entries = lost.slice(i, i + MAX_PUT_BACK)
      // Another node may do the same at this moment: then the next round finds it there.
      if ((await sharedLog.append(entries)).some(({ appended }) => !appended)) return
      if (head !== null) {
        measures.healed.inc(entries.length)
        this.#healed += entries.length
      }
    }
    await this.#recordAgain(own)
    const [first] = lost
    if (head === null) logger.info({ auctionId }, 'an auction is in the log of the cluster from now on')
    else
      logger.error(
        { auctionId, fromSeq: first?.commit.firstSeq, untilSeq: own.head.seq, commits: lost.length },
        'the log of the cluster lacked commits that this node holds, and has them again',
      )
  }

  /** Refusals stand in no commit: the log may have lost them alone. */
  putRefusalsBack(auctionId: string): Promise<void> {
    return reached(async () => {
      const own = await this.#deps.auctions.find(auctionId)
      if (own !== null && this.#isShared(own.state)) await this.#recordAgain(own)
    })
  }

  /** What its commands were answered that no commit carries out. */
  async #recordAgain({ auctionId, state }: AuctionRecord): Promise<void> {
    if (state.home.nodeId !== this.#nodeId) return
    const { handovers, sharedLog } = this.#deps
    for (let after: string | null = null; ; ) {
      const { outcomes, next }: HandoverPage = await handovers.page(auctionId, after, MAX_RECORDED)
      const refused = outcomes.filter(({ outcome }) => outcome.status === 'rejected')
      if (refused.length > 0) await sharedLog.record(this.#nodeId, refused)
      if (next === null) return
      after = next
    }
  }

  /** What this node holds after the head, each with what lies beside it; null if it does not hold the head. */
  async #after({ auctionId, head: ownHead }: AuctionRecord, head: Head | null): Promise<Append[] | null> {
    const { eventLog, outcomes, secrets } = this.#deps
    const sealed = new Map<string, SealedMaximum>()
    const beside = new KeptBeside(auctionId)
    const entries: Append[] = []
    let state: Auction = UNOPENED
    let isPassed = head === null
    for (let seq = 1; seq <= ownHead.seq; ) {
      const page = await eventLog.read(auctionId, seq, PAGE)
      if (page.length === 0) return null
      for (const { position: _, ...commit } of page) {
        const { events, prevHash } = readBodyAgain(commit.body)
        for (const event of events) {
          state = evolve(state, event)
          beside.take(event)
        }
        const opened = state as OpenedAuction
        if (isPassed) entries.push({ commit, prevHash, events, state: opened })
        else if (commit.lastSeq >= (head?.seq ?? 0)) {
          if (!isAt(commit, head)) return null
          isPassed = true
        }
        seq = commit.lastSeq + 1
      }
    }
    for (const one of await secrets.sealed(auctionId, beside.committed.size + 1)) sealed.set(one.bidId, one)
    const kept = await secrets.secrets(auctionId)
    const leaderMax = beside.leaderMax(sealed)
    const isWhole = kept !== null && beside.isReserve(kept.reserve) && beside.missing(sealed).length === 0
    return Promise.all(
      entries.map(async (entry, i): Promise<Append> => {
        const isLast = i === entries.length - 1
        const answered = await this.#answered(entry, sealed, outcomes)
        const secret =
          isLast && isWhole && leaderMax !== undefined
            ? { secrets: { reserve: kept.reserve, leaderMax }, sealed: [...sealed.values()] }
            : undefined
        return { ...entry, ...(secret && { secret }), outcomes: answered }
      }),
    )
  }

  /** What its commands were answered, or what their log says they were. */
  async #answered(
    { commit, events, state }: Append,
    sealed: ReadonlyMap<string, SealedMaximum>,
    outcomes: Pick<OutcomeRepository, 'find'>,
  ): Promise<RecordedOutcome[]> {
    const ids = events.flatMap((event) => commandIdOf(event) ?? [])
    const known = ids.length === 0 ? new Map<string, RecordedOutcome>() : await outcomes.find(ids)
    return events.flatMap((event, i) => {
      const id = event.type === 'AuctionOpened' ? event.commandId : commandIdOf(event)
      if (id === null) return []
      const maximum = 'bidId' in event ? sealed.get(event.bidId) : undefined
      const recorded = known.get(id) ?? loggedOutcome(event, commit.auctionId, commit.firstSeq + i, state, maximum)
      return recorded?.outcome.auctionId === commit.auctionId ? [recorded] : []
    })
  }

  /**
   * Takes what lies beside an auction in the log into the own store, so that its home can decide from there. To be
   * called once this node is the home in the log. Resolves with whether that is all: what a standby has lost of it
   * stays lost, though the commits that it belongs to are back.
   */
  takeIn(auctionId: string): Promise<boolean> {
    return reached(async () => {
      const { handovers, sharedLog } = this.#deps
      for (let after: string | null = null; ; ) {
        const page: SharedPage = await sharedLog.beside(auctionId, after)
        const { outcomes, sealed, secrets } = page
        await handovers.keep(auctionId, { outcomes, sealed, secrets: secrets?.secrets ?? null })
        after = page.next
        if (after === null) return secrets !== null && this.#isOfNow(auctionId, secrets.seq)
      }
    })
  }

  /** Whether nothing has changed the secrets after this event. */
  async #isOfNow(auctionId: string, seq: number): Promise<boolean> {
    for (let next = seq + 1; ; ) {
      const page = await this.#deps.eventLog.read(auctionId, next, PAGE)
      for (const { body, firstSeq } of page) {
        const later = eventsOf(body).slice(Math.max(0, next - firstSeq))
        if (later.some(({ type }) => CHANGES_SECRETS.has(type))) return false
      }
      const last = page.at(-1)
      if (last === undefined) return true
      next = last.lastSeq + 1
    }
  }
}

const CHANGES_SECRETS: ReadonlySet<AuctionEvent['type']> = new Set([
  'BidPlaced',
  'MaxBidChanged',
  'LotBoughtNow',
  'MaximaLost',
])

/** Rejects with `LogAwayError` if the log cannot be reached. */
export async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof SharedLogError ? refusalOf(error) : error
  }
}

/** After which it is certain that nothing was stored. */
export function refusalOf(error: SharedLogError): Error {
  return error.code === 'LOG_BUSY' ? new LogBusyError({ cause: error }) : new LogAwayError(error)
}

function isSame(a: Head, b: Head): boolean {
  return a.seq === b.seq && a.hash === b.hash
}

function isAt(commit: Commit | undefined, head: Head | null): boolean {
  return commit !== undefined && head !== null && commit.lastSeq === head.seq && commit.hash === head.hash
}

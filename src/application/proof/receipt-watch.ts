import type { OpenedAuction } from '../../domain/auction.js'
import type { AuctionEvent } from '../../domain/events.js'
import type { Minor } from '../../domain/money.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { BreachRepository } from '../../ports/store/breach-repository.js'
import type { EventLog } from '../../ports/store/event-log.js'
import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Published, PublishingEventLog } from '../log/publishing-event-log.js'
import { bidOf } from '../log/read-model.js'
import { eventsOf } from '../log/written-body.js'
import { type AcceptedBid, acceptedBid, alterationOf } from './check-receipts.js'

export interface ReceiptWatchDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly breaches: BreachRepository
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'> & Pick<EventLog, 'read'>
  readonly receipts: Pick<ReceiptRepository, 'auctions' | 'list'>
  readonly logger: Logger
}

const ONE = { commits: 1, bytes: 1 }
const PAGE = 10
/** Auctions watched at once; beyond this, the one longest without news is left to `verify --receipts`. */
const MAX_WATCHED = 10_000
/** Receipts of one auction whose events have still to come; more are left to `verify --receipts` too. */
const MAX_AWAITED = 20_000

interface Watched {
  readonly auctionId: string
  /** How far the log has been looked at; null until that is known. */
  seq: number | null
  price: Minor
  /** The bid that leads, and what it may be charged at most, where there is a receipt for it. */
  leading: { readonly bidId: string; most: Minor | null } | null
  /** Accepted bids that have not been held against their events, by seq. */
  readonly awaited: Map<number, AcceptedBid>
  /** Some of them may have come after their events, which are to be read again. */
  hasLate: boolean
  isSettling: boolean
}

/**
 * Holds each log that comes in against what its home has signed for this node's bids: that they stand in their places,
 * as they were placed, and that none is charged more than its maximum. A breach raises an alarm at once, while there is
 * still time to act.
 */
export class ReceiptWatch {
  readonly #deps: ReceiptWatchDeps
  readonly #watched = new Map<string, Watched>()
  #unlisten: (() => void) | null = null

  constructor(deps: ReceiptWatchDeps) {
    this.#deps = deps
  }

  /**
   * Takes up the auctions that bids of this node lead, which takes a while after many; `kept` may be called before.
   * Never rejects.
   */
  async start(): Promise<void> {
    if (this.#unlisten !== null) return
    this.#unlisten = this.#deps.eventLog.onPublished((published) => this.#onPublished(published))
    try {
      for (const auctionId of await this.#deps.receipts.auctions()) {
        if (this.#unlisten === null) return
        await this.#takeUp(auctionId)
      }
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'receipts of earlier bids could not be read; new ones are watched')
    }
  }

  /** Idempotent. */
  stop(): void {
    this.#unlisten?.()
    this.#unlisten = null
    this.#watched.clear()
  }

  /** The most that this bid may be charged by its receipt; null if it does not lead, or has none here. */
  mostOf(auctionId: string, bidId: string): Minor | null {
    const leading = this.#watched.get(auctionId)?.leading
    return leading?.bidId === bidId ? leading.most : null
  }

  /** A home has signed these. */
  kept({ receipts }: SignedReceipts): void {
    for (const receipt of receipts) {
      const bid = acceptedBid(receipt)
      if (bid === null) continue
      const { command, outcome } = bid
      const { auctionId } = command
      const most = mostOf(bid)
      if (outcome.bid?.leads === true && most !== null && outcome.bid.price > most)
        this.#raise(auctionId, outcome.seq, overcharge(command.commandId, outcome.bid.price, most))
      const watched = this.#watched.get(auctionId) ?? this.#watch(auctionId)
      if (watched.awaited.size >= MAX_AWAITED) continue
      watched.awaited.set(outcome.seq, bid)
      if (watched.seq === null || outcome.seq <= watched.seq) watched.hasLate = true
      this.#settle(watched)
    }
  }

  #watch(auctionId: string): Watched {
    for (const oldest of this.#watched.keys()) {
      if (this.#watched.size < MAX_WATCHED) break
      this.#watched.delete(oldest)
    }
    const watched: Watched = {
      auctionId,
      seq: null,
      price: 0,
      leading: null,
      awaited: new Map(),
      hasLate: false,
      isSettling: false,
    }
    this.#watched.set(auctionId, watched)
    return watched
  }

  async #takeUp(auctionId: string): Promise<void> {
    const record = await this.#deps.auctions.find(auctionId)
    const bidId = record?.state.leadingBidId
    if (!record || !bidId || isOver(record.state) || this.#watched.has(auctionId)) return
    const watched = this.#watch(auctionId)
    lookFrom(watched, record.state)
    for (let after: number | null = 0; after !== null; ) {
      const page: Awaited<ReturnType<ReceiptRepository['list']>> = await this.#deps.receipts.list({
        auctionId,
        after,
        limit: PAGE,
      })
      const found = page.signed
        .flatMap(({ receipts }) => receipts)
        .find(({ command }) => command.commandId === bidId && command.auctionId === auctionId)
      const bid = found ? acceptedBid(found) : null
      if (bid !== null) return this.#charged(watched, bid)
      after = page.next
    }
  }

  #onPublished({ commit, events, state }: Published): void {
    const watched = this.#watched.get(commit.auctionId)
    if (watched === undefined) return
    if (watched.seq !== commit.firstSeq - 1) {
      lookFrom(watched, state)
      watched.hasLate = watched.awaited.size > 0
    } else {
      for (let i = 0; i < events.length; i++) this.#look(watched, commit.firstSeq + i, events[i] as AuctionEvent)
    }
    this.#settle(watched)
    if (isOver(state) && watched.awaited.size === 0) this.#watched.delete(commit.auctionId)
  }

  /** Takes the next event of the log. */
  #look(watched: Watched, seq: number, event: AuctionEvent): void {
    watched.seq = seq
    const awaited = watched.awaited.get(seq)
    if (awaited !== undefined) this.#compare(watched, awaited, event)
    const bid = bidOf(event)
    if (bid === null) return
    watched.price = bid.price
    if (bid.leads) watched.leading = { bidId: bid.bidId, most: null }
    if (awaited !== undefined) this.#charged(watched, awaited)
    else this.#checkPrice(watched, seq)
  }

  #compare({ auctionId, awaited }: Watched, accepted: AcceptedBid, event: AuctionEvent): void {
    const { command, outcome } = accepted
    const { seq } = outcome
    awaited.delete(seq)
    const bid = bidOf(event)
    if (bid === null || bid.bidId !== command.commandId) {
      this.#raise(auctionId, seq, `bid ${command.commandId} was accepted as event ${seq}, and is left out`)
      return
    }
    const altered = alterationOf({ ...bid, seq }, command, outcome)
    const rule = `bid ${command.commandId} stands in the log with another ${altered} than in its receipt`
    if (altered !== null) this.#raise(auctionId, seq, rule)
  }

  /** The bid that leads may be the one that this receipt is for. */
  #charged(watched: Watched, accepted: AcceptedBid): void {
    const { leading } = watched
    if (leading?.bidId !== accepted.command.commandId) return
    leading.most = mostOf(accepted)
    this.#checkPrice(watched, watched.seq ?? accepted.outcome.seq)
  }

  #checkPrice({ auctionId, leading, price }: Watched, seq: number): void {
    if (leading?.most == null || price <= leading.most) return
    this.#raise(auctionId, seq, overcharge(leading.bidId, price, leading.most))
  }

  /** Reads the events that came before their receipts. */
  #settle(watched: Watched): void {
    if (!watched.hasLate || watched.isSettling) return
    watched.hasLate = false
    watched.isSettling = true
    this.#readBack(watched)
      .catch((error: unknown) => {
        watched.awaited.clear()
        const { auctionId } = watched
        this.#deps.logger.warn({ err: error, auctionId }, 'receipts could not be held against their log')
      })
      .finally(() => {
        watched.isSettling = false
        this.#settle(watched)
      })
  }

  async #readBack(watched: Watched): Promise<void> {
    const { auctionId, awaited } = watched
    if (watched.seq === null) {
      const record = await this.#deps.auctions.find(auctionId)
      if (record !== null && watched.seq === null) lookFrom(watched, record.state)
    }
    for (const seq of [...awaited.keys()]) {
      if (watched.seq === null || seq > watched.seq || !awaited.has(seq)) continue
      const [commit] = await this.#deps.eventLog.read(auctionId, seq, ONE)
      if (commit === undefined) return
      for (const [i, event] of eventsOf(commit.body).entries()) {
        const accepted = awaited.get(commit.firstSeq + i)
        if (accepted === undefined) continue
        this.#compare(watched, accepted, event)
        this.#charged(watched, accepted)
      }
    }
  }

  #raise(auctionId: string, seq: number, rule: string): void {
    const { breaches, logger } = this.#deps
    breaches.save({ auctionId, seq, rule }).then(
      (isFirst) => {
        if (isFirst)
          logger.error({ auctionId, seq, rule }, 'a home does not keep to its receipts: the auction is disputed')
      },
      (error: unknown) => {
        logger.error(
          { err: error, auctionId, seq, rule },
          'a home does not keep to its receipts, which could not be noted',
        )
      },
    )
  }
}

/** From this state on; what came before is looked at by its receipts alone. */
function lookFrom(watched: Watched, { seq, price, leadingBidId }: OpenedAuction): void {
  if (watched.seq !== null && watched.seq >= seq) return
  const most = watched.leading?.bidId === leadingBidId ? (watched.leading?.most ?? null) : null
  watched.seq = seq
  watched.price = price ?? 0
  watched.leading = leadingBidId === null ? null : { bidId: leadingBidId, most }
}

function isOver({ status }: OpenedAuction): boolean {
  return status === 'closed' || status === 'cancelled'
}

/** What a bid may be charged at most; null for a buy-now, whose price is in the terms. */
function mostOf({ command }: AcceptedBid): Minor | null {
  return command.type === 'PlaceBid' ? command.amount : null
}

function overcharge(bidId: string, price: Minor, most: Minor): string {
  return `bid ${bidId} is charged ${price} minor units, and may be charged ${most} at most by its receipt`
}

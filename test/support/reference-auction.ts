import type { Increments } from '../../src/domain/increments.js'
import type { Terms } from '../../src/domain/terms.js'

/** Somebody's standing offer, in the whole book of them. */
interface Entry {
  readonly bidder: string
  readonly amount: number
  readonly kind: 'plain' | 'max'
  /** When it reached this amount, in order of acceptance. */
  readonly rank: number
}

/**
 * The rules of bidding told a second time, as naively as they can be: keep everybody's maximum in a book, sort it
 * after each offer, and read leader and price off its two top lines. Slow, obvious, and shares no code with the
 * domain under test.
 */
export class ReferenceAuction {
  price: number | null = null
  bidCount = 0
  closesAt: number | null
  #book: Entry[] = []
  /** For each bidder the rising amounts of the maximum that stands, and when it reached them. */
  readonly #steps = new Map<string, { amount: number; rank: number }[]>()
  #rank = 0

  constructor(
    readonly terms: Terms,
    readonly reserve: number | null,
  ) {
    this.closesAt = terms.closesAt
  }

  get leader(): Entry | undefined {
    return [...this.#book].sort((a, b) => b.amount - a.amount || a.rank - b.rank)[0]
  }

  get reserveMet(): boolean {
    return this.reserve === null || (this.price !== null && this.price >= this.reserve)
  }

  get minimum(): number {
    if (this.price === null) return this.terms.startPrice
    return this.price + increment(this.terms.increments, this.price)
  }

  get buyNowOffered(): boolean {
    return this.terms.buyNow !== null && (this.reserve === null ? this.bidCount === 0 : !this.reserveMet)
  }

  /** The code that refuses this offer, or null once it is taken. */
  offer(bidder: string, kind: 'plain' | 'max', amount: number, now: number): string | null {
    if (this.closesAt !== null && now >= this.closesAt) return 'AUCTION_ENDED'
    const leads = this.leader?.bidder === bidder
    if (leads && kind === 'plain') return 'ALREADY_LEADING'
    if (leads && amount < (this.price ?? 0)) return 'MAX_BELOW_PRICE'
    const paysMore = kind === 'plain' ? amount : this.minimum
    if (!leads && this.buyNowOffered && Math.max(paysMore, this.minimum) >= (this.terms.buyNow ?? 0))
      return 'BUY_NOW_AVAILABLE'
    if (!leads && amount < this.minimum) return 'BID_TOO_LOW'
    const before = this.price
    this.#enter(bidder, kind, amount)
    this.bidCount++
    this.price = this.#priceByBook(leads)
    if (this.price !== before) this.#extend(now)
    return null
  }

  /**
   * A raise is as late as its raise. A lowered maximum is as early as its owner first offered this much and stood
   * by it, so that nobody slips out of a lead by raising and lowering again.
   */
  #enter(bidder: string, kind: 'plain' | 'max', amount: number): void {
    const steps = this.#steps.get(bidder) ?? []
    const kept = steps.findIndex((step) => step.amount >= amount)
    const rank = steps[kept]?.rank ?? ++this.#rank
    this.#steps.set(bidder, [...(kept < 0 ? steps : steps.slice(0, kept)), { amount, rank }])
    this.#book = this.#book.filter((entry) => entry.bidder !== bidder).concat({ bidder, kind, amount, rank })
  }

  #priceByBook(ownChange: boolean): number {
    const [top, second] = [...this.#book].sort((a, b) => b.amount - a.amount || a.rank - b.rank)
    if (top === undefined) throw new Error('nobody has bid')
    const floors = [this.price ?? this.terms.startPrice]
    if (top.kind === 'plain') floors.push(top.amount)
    if (second !== undefined && !ownChange) {
      floors.push(Math.min(top.amount, second.amount + increment(this.terms.increments, second.amount)))
    }
    if (this.reserve !== null && top.amount >= this.reserve) floors.push(this.reserve)
    return Math.max(...floors)
  }

  #extend(now: number): void {
    const rule = this.terms.softClose
    if (rule === null || this.closesAt === null || now < this.closesAt - rule.windowMs) return
    const end = Math.max(this.closesAt, now + rule.extensionMs)
    this.closesAt = rule.hardStopAt === null ? end : Math.min(end, rule.hardStopAt)
  }
}

function increment(increments: Increments, price: number): number {
  let found = 0
  for (const band of increments) if (price >= band.from) found = band.step
  return found
}

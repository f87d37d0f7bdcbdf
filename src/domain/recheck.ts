import { isBuyNowOffered, minimumAfter } from './auction.js'
import { incrementAt } from './increments.js'
import type { Minor } from './money.js'
import { liftToReserve, type Secrets, standingAfter } from './pricing.js'
import type { Terms } from './terms.js'

/** An accepted bid with the result that its home recorded, and its maximum if that is known. */
export interface RecordedBid {
  readonly kind: 'plain' | 'max' | 'max-change' | 'buy-now'
  /**
   * `Infinity`: never opened, since it lies above the hammer price; every price of the auction lies below it, so
   * that any such amount gives the same prices. Null: not known, and nothing can be said.
   */
  readonly amount: Minor | null
  readonly price: Minor
  readonly leads: boolean
  readonly reserveMet: boolean
}

/** Why the price is what it is after a bid. */
export interface PriceStep {
  readonly because:
    | 'first'
    | 'plain-leads'
    | 'outbids-leader'
    | 'answered-by-leader'
    | 'tie-earlier-leads'
    | 'own-maximum-moved'
    | 'bought-now'
    | 'unknown'
  /** The maximum that did not lead, and the increment over it that made the price; null where none did. */
  readonly runnerUp: Minor | null
  /** The leader's maximum reached the reserve, which lifted the price to it. */
  readonly lifted: boolean
}

const UNKNOWN: PriceStep = { because: 'unknown', runnerUp: null, lifted: false }

/** A bid whose recorded result contradicts the rules of pricing. */
export class UnsoundPriceError extends Error {
  readonly code = 'UNSOUND_PRICE'
  constructor(readonly rule: string) {
    super(rule)
    this.name = 'UnsoundPriceError'
  }
}

/**
 * Decides an auction's bids again as far as the maxima behind them and the reserve are known, in their order: who
 * leads, at what price, and whether the reserve is met must come out as the home said at the time; what is not known
 * must at least be possible.
 */
export class PriceRecheck {
  readonly #terms: Terms
  /** Undefined: not known yet. */
  readonly #reserve: Secrets['reserve'] | undefined
  #price: Minor | null = null
  /** Undefined: not known. */
  #leaderMax: Minor | null | undefined = null
  #reserveMet: boolean

  constructor(terms: Terms, reserve: Secrets['reserve'] | undefined) {
    this.#terms = terms
    this.#reserve = reserve
    this.#reserveMet = terms.reserveCommitment === null
  }

  /** Throws `UnsoundPriceError`. */
  next(bid: RecordedBid): PriceStep {
    const step = this.#step(bid)
    this.#price = bid.price
    this.#reserveMet = bid.reserveMet
    return step
  }

  /** The home has lost the maximum that leads: it counts for no more than the price from here on. */
  leaderLost(): void {
    this.#leaderMax = this.#price
  }

  #step(bid: RecordedBid): PriceStep {
    switch (bid.kind) {
      case 'plain':
      case 'max':
        return this.#offer(bid, bid.kind)
      case 'max-change':
        return this.#change(bid)
      case 'buy-now': {
        must(this.#buyNowOnOffer() && bid.price === this.#terms.buyNow, 'buy-now was on offer at this price')
        this.#leaderMax = bid.price
        return { because: 'bought-now', runnerUp: null, lifted: false }
      }
      default: {
        const unknown: never = bid.kind
        throw new Error(`unknown kind of bid ${String(unknown)}`)
      }
    }
  }

  #buyNowOnOffer(): boolean {
    return isBuyNowOffered(this.#terms, { price: this.#price, reserveMet: this.#reserveMet })
  }

  #offer(bid: RecordedBid, kind: 'plain' | 'max'): PriceStep {
    const { startPrice, increments, buyNow } = this.#terms
    const { amount } = bid
    const held = this.#leaderMax
    const minimum = minimumAfter(this.#terms, { price: this.#price, reserveMet: this.#reserveMet })
    must(minimum !== null, 'nobody bids where the lot can be bought for no more')
    if (amount !== null) {
      must(amount >= (minimum ?? 0), 'an accepted offer reaches the minimum of its time')
      if (kind === 'plain' && this.#buyNowOnOffer())
        must(amount < (buyNow ?? 0), 'an offer that reaches the buy-now price is no bid while that is on offer')
    }
    if (bid.leads) this.#leaderMax = amount ?? undefined
    const reserve = this.#reserve
    if (amount === null || held === undefined || reserve === undefined) return this.#bounded(bid, held)

    const secrets = { reserve, leaderMax: held }
    const input = { startPrice, increments, secrets, offer: { kind, amount } }
    const standing = standingAfter(input)
    this.#same(bid, standing)
    const lifted =
      reserve !== null &&
      standing.price !== standingAfter({ ...input, secrets: { reserve: null, leaderMax: held } }).price
    if (held === null) return { because: 'first', runnerUp: null, lifted }
    if (!standing.leads) {
      return {
        because: amount === held ? 'tie-earlier-leads' : 'answered-by-leader',
        runnerUp: amount,
        lifted,
      }
    }
    if (kind === 'plain') return { because: 'plain-leads', runnerUp: held, lifted }
    return { because: 'outbids-leader', runnerUp: held, lifted }
  }

  /**
   * What has to hold whatever is not known: nobody pays more than their own maximum, nor less than that of the next
   * one.
   */
  #bounded({ amount, price, leads }: RecordedBid, held: Minor | null | undefined): PriceStep {
    const leading = leads ? amount : held
    const beaten = leads ? held : amount
    must((leading ?? Number.POSITIVE_INFINITY) >= price, "the price is not above the leader's maximum")
    must(
      leads ? (beaten ?? 0) < price : (beaten ?? 0) <= price,
      'the price is not below the maximum that does not lead',
    )
    must(
      leads || amount === null || price <= amount + incrementAt(this.#terms.increments, amount),
      'the leader answers by one increment at most',
    )
    return UNKNOWN
  }

  #change(bid: RecordedBid): PriceStep {
    const { amount } = bid
    const price = this.#price ?? 0
    this.#leaderMax = amount ?? undefined
    if (amount === null) return UNKNOWN
    must(amount >= price, 'a maximum is not moved below the price')
    if (this.#reserve === undefined) {
      must(bid.price <= amount, "the price is not above the leader's maximum")
      return UNKNOWN
    }
    const lifted = liftToReserve(price, amount, { reserve: this.#reserve, leaderMax: amount })
    this.#same(bid, { ...lifted, leads: true })
    return { because: 'own-maximum-moved', runnerUp: null, lifted: lifted.price !== price }
  }

  #same(recorded: RecordedBid, found: { price: Minor; leads: boolean; reserveMet: boolean }): void {
    must(recorded.leads === found.leads, `by the maxima, this bid ${found.leads ? 'leads' : 'does not lead'}`)
    must(recorded.reserveMet === found.reserveMet, `by the maxima, the reserve is ${found.reserveMet ? '' : 'not '}met`)
    must(
      recorded.price === found.price,
      `by the maxima, the price is ${found.price}, not ${recorded.price} minor units`,
    )
  }
}

function must(holds: boolean, rule: string): void {
  if (!holds) throw new UnsoundPriceError(rule)
}

import { type Increments, incrementAt } from './increments.js'
import type { Minor } from './money.js'

/** What the home knows and nobody else: the leading bid's maximum and the reserve. */
export interface Secrets {
  readonly reserve: { readonly amount: Minor; readonly salt: string } | null
  /** The maximum of the leading bid; null before the first bid. A plain bid's maximum is its amount. */
  readonly leaderMax: Minor | null
}

export const NO_SECRETS: Secrets = { reserve: null, leaderMax: null }

export interface Standing {
  readonly price: Minor
  /** Whether the new offer leads. */
  readonly leads: boolean
  readonly leaderMax: Minor
  readonly reserveMet: boolean
}

export interface StandingInput {
  readonly startPrice: Minor
  readonly increments: Increments
  readonly secrets: Secrets
  readonly offer: { readonly kind: 'plain' | 'max'; readonly amount: Minor }
}

/**
 * Who leads after an admissible offer by somebody other than the leader, and at what price (proxy bidding as on
 * eBay): price = min(leader's max, runner-up's max + increment); equal maxima: the earlier one leads at that
 * price; a plain bid that leads is the price; a maximum that reaches the reserve lifts the price to it.
 */
export function standingAfter({ startPrice, increments, secrets, offer }: StandingInput): Standing {
  const held = secrets.leaderMax
  const leads = held === null || offer.amount > held
  const leaderMax = leads ? offer.amount : held
  let price: Minor
  if (leads && (offer.kind === 'plain' || held === null)) price = offer.kind === 'plain' ? offer.amount : startPrice
  else {
    const runnerUp = leads ? (held as Minor) : offer.amount
    price = Math.min(leaderMax, runnerUp + incrementAt(increments, runnerUp))
  }
  return { leads, leaderMax, ...liftToReserve(price, leaderMax, secrets) }
}

/** The price that the leader's maximum makes once it reaches the reserve. */
export function liftToReserve(price: Minor, leaderMax: Minor, secrets: Secrets): { price: Minor; reserveMet: boolean } {
  if (secrets.reserve === null) return { price, reserveMet: true }
  if (leaderMax < secrets.reserve.amount) return { price, reserveMet: false }
  return { price: Math.max(price, secrets.reserve.amount), reserveMet: true }
}

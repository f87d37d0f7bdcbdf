import type { Ending, Lot } from './lot.js'

/** How the page hears of the auction. */
export type Reach =
  | { readonly kind: 'live' }
  /** Nothing has been heard for `forMs`; `asOfMs`: when the price was last known to be so. */
  | { readonly kind: 'lost'; readonly forMs: number; readonly asOfMs: number; readonly http: boolean }

/** What the visitor has asked for and has no answer to yet. */
export type Pending =
  | { readonly kind: 'sending'; readonly amount: string; readonly forMs: number }
  | { readonly kind: 'unknown'; readonly amount: string }

export interface PanelFacts {
  readonly lot: Lot
  /** `nobody`: has not said who they are. `reader`: may look, and not bid. */
  readonly visitor: 'nobody' | 'reader' | 'bidder'
  /** By the gateway's clock. */
  readonly nowMs: number
  readonly reach: Reach
  readonly pending: Pending | null
  /** Another node is taking the auction over, as far as this page knows. */
  readonly isMoving: boolean
  /** The visitor's last bid was as high as the leader's maximum, which came first. */
  readonly lostToTie: boolean
}

/** What the panel says and offers. One of these, whatever else is true. */
export type Panel =
  | { readonly kind: 'over'; readonly ending: Ending; readonly outcome: Outcome; readonly disputed: boolean }
  | { readonly kind: 'disputed' }
  | { readonly kind: 'closing' }
  | { readonly kind: 'home-away' }
  /** Bids can be sent, and wait. */
  | { readonly kind: 'moving'; readonly pending: Pending | null; readonly canBid: boolean }
  | {
      readonly kind: 'disconnected'
      readonly asOfMs: number
      readonly canBid: boolean
      /** What is on its way, or not known of, meanwhile. */
      readonly pending: string | null
    }
  | { readonly kind: 'unknown'; readonly amount: string }
  | { readonly kind: 'not-eligible'; readonly why: Barrier; readonly opensAtMs: number | null }
  | { readonly kind: 'sending'; readonly amount: string; readonly slow: boolean }
  | { readonly kind: 'leading'; readonly price: string; readonly reserveMet: boolean }
  | { readonly kind: 'outbid'; readonly price: string; readonly tie: boolean; readonly next: string }
  | { readonly kind: 'open'; readonly next: string }

export type Outcome = 'won' | 'lost' | 'sold' | 'not-sold' | 'cancelled'
export type Barrier = 'log-in' | 'may-not-bid' | 'own' | 'not-open-yet'

/** Before this nothing is said of a lost connection: most come back at once. */
export const GRACE_MS = 1_000
export const SLOW_MS = 3_000
const HOME_AWAY: ReadonlySet<string> = new Set(['dead', 'left'])

/**
 * The bidding panel as a function of what is known, highest first. A state never depends on another one: nothing can be
 * left standing, and what is true now is what is shown.
 */
export function panelOf(facts: PanelFacts): Panel {
  const { lot, nowMs, reach, pending } = facts
  if (lot.ending) return { kind: 'over', ending: lot.ending, outcome: outcomeOf(lot), disputed: lot.disputed }
  if (lot.disputed) return { kind: 'disputed' }
  if (lot.status === 'ended' || (lot.closesAtMs !== null && nowMs >= lot.closesAtMs)) return { kind: 'closing' }
  const isAway = HOME_AWAY.has(lot.home.state)
  if (facts.isMoving || (isAway && lot.home.inCluster))
    return { kind: 'moving', pending, canBid: pending === null && barrierOf(facts) === null }
  if (isAway) return { kind: 'home-away' }
  if (reach.kind === 'lost' && reach.forMs > GRACE_MS) {
    const canBid = reach.http && pending === null && barrierOf(facts) === null
    return { kind: 'disconnected', asOfMs: reach.asOfMs, canBid, pending: pending?.amount ?? null }
  }
  if (pending?.kind === 'unknown') return { kind: 'unknown', amount: pending.amount }
  const why = barrierOf(facts)
  if (why) return { kind: 'not-eligible', why, opensAtMs: lot.opensAtMs }
  if (pending) return { kind: 'sending', amount: pending.amount, slow: pending.forMs > SLOW_MS }
  const next = prefill(lot)
  if (lot.you === 'leading')
    return { kind: 'leading', price: lot.price ?? next, reserveMet: !lot.hasReserve || lot.reserveMet }
  if (lot.you === 'outbid') return { kind: 'outbid', price: lot.price ?? next, tie: facts.lostToTie, next }
  return { kind: 'open', next }
}

/** Whether a bid can be sent from here. */
export function takesBids(panel: Panel): boolean {
  return (
    panel.kind === 'leading' ||
    panel.kind === 'outbid' ||
    panel.kind === 'open' ||
    ((panel.kind === 'moving' || panel.kind === 'disconnected') && panel.canBid)
  )
}

function outcomeOf({ ending, you }: Lot): Outcome {
  if (ending?.kind === 'cancelled') return 'cancelled'
  if (ending?.kind === 'not-sold') return 'not-sold'
  return you === 'won' ? 'won' : you === 'lost' ? 'lost' : 'sold'
}

function barrierOf({ lot, visitor, nowMs }: PanelFacts): Barrier | null {
  if (lot.you === 'seller') return 'own'
  if (lot.status === 'scheduled' && (lot.opensAtMs === null || nowMs < lot.opensAtMs)) return 'not-open-yet'
  if (visitor === 'nobody') return 'log-in'
  return visitor === 'reader' ? 'may-not-bid' : null
}

/** What the field holds before anybody has touched it. */
export function prefill({ minimum, buyNow, startPrice }: Lot): string {
  return minimum ?? buyNow ?? startPrice
}

/** The lot can be bought for no more than the next bid would have to be: no bid would be taken. */
export function isBuyOnly({ minimum, buyNow, you }: Lot): boolean {
  return minimum === null && buyNow !== null && you !== 'leading'
}

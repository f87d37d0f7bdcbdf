import { compareAmounts } from '../../../../src/client/display.js'

export interface Offer {
  readonly kind: 'plain' | 'max' | 'buy-now'
  readonly amount: string
}

export interface Circumstances {
  /** The least that would do; null where nobody can say. */
  readonly minimum: string | null
  /** Nothing of this visitor's has been accepted in the auction. */
  readonly isFirst: boolean
  /** Asked for by the visitor, for this auction. */
  readonly skips: boolean
}

export const UNUSUAL_TIMES = 5
/** Taps on a button that has just come under the finger are not meant for it. */
export const DEAF_MS = 400

/** Why an offer has to be confirmed; null: it goes out at once. */
export type ConfirmReason = 'first' | 'max' | 'buy-now' | 'unusual' | 'asked'

/** Unusual first: it is what the sheet has to say loudest. */
export function confirmReason(
  { kind, amount }: Offer,
  { minimum, isFirst, skips }: Circumstances,
): ConfirmReason | null {
  if (minimum !== null && kind !== 'buy-now' && isUnusual(amount, minimum)) return 'unusual'
  if (kind === 'buy-now') return 'buy-now'
  if (kind === 'max') return 'max'
  if (isFirst) return 'first'
  return skips ? null : 'asked'
}

function isUnusual(amount: string, minimum: string): boolean {
  return compareAmounts(amount, times(minimum, UNUSUAL_TIMES)) >= 0
}

function times(amount: string, factor: number): string {
  const [, fraction = ''] = amount.split('.')
  const product = String(BigInt(amount.replace('.', '')) * BigInt(factor)).padStart(fraction.length + 1, '0')
  return fraction === '' ? product : `${product.slice(0, -fraction.length)}.${product.slice(-fraction.length)}`
}

/** The confirming sheet: which offer, at what price it was opened, and since when its button is where it is. */
export interface Sheet {
  readonly offer: Offer
  readonly reason: ConfirmReason
  /** The least that would have done when the visitor last saw it. */
  readonly minimum: string | null
  readonly movedAtMs: number
  /** The price changed while it was open: it has to be read again. */
  readonly changed: boolean
}

export function openSheet(offer: Offer, reason: ConfirmReason, minimum: string | null, nowMs: number): Sheet {
  return { offer, reason, minimum, movedAtMs: nowMs, changed: false }
}

/** The auction went on: where the price is another, the button has to be tapped afresh. */
export function priceMoved(sheet: Sheet, minimum: string | null, nowMs: number): Sheet {
  return minimum === sheet.minimum ? sheet : { ...sheet, minimum, movedAtMs: nowMs, changed: true }
}

export type Tap =
  | { readonly kind: 'ignored' }
  /** It is read, and asked for once more. */
  | { readonly kind: 'again'; readonly sheet: Sheet }
  | { readonly kind: 'go' }

export function tapped(sheet: Sheet, nowMs: number): Tap {
  if (nowMs - sheet.movedAtMs < DEAF_MS) return { kind: 'ignored' }
  if (sheet.changed) return { kind: 'again', sheet: { ...sheet, changed: false, movedAtMs: nowMs } }
  return { kind: 'go' }
}

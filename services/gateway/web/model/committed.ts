import { addAmounts, compareAmounts } from '../../../../src/client/display.js'
import type { Lot } from './lot.js'

/** What somebody owes in one unit. */
export interface Commitment {
  readonly currency: string
  /** If everything ended now. */
  readonly now: string
  /** If others bid each open maximum up to its end, and whatever is on its way is accepted. */
  readonly atWorst: string
}

/**
 * Exact, in each unit apart; in the order of the units' codes. `maxima` and `pending`: amounts by auction, as far as
 * they are known here.
 */
export function commitments(
  lots: Iterable<Lot>,
  maxima: ReadonlyMap<string, string>,
  pending: ReadonlyMap<string, string>,
): Commitment[] {
  const sums = new Map<string, Commitment>()
  for (const { id, currency, price, you, ending } of lots) {
    if (ending !== null) continue
    const now = you === 'leading' && price !== null ? price : '0'
    const open = [now, pending.get(id) ?? '0', you === 'leading' ? (maxima.get(id) ?? '0') : '0']
    const atWorst = open.reduce((most, amount) => (compareAmounts(amount, most) > 0 ? amount : most))
    if (compareAmounts(atWorst, '0') === 0) continue
    const sum = sums.get(currency) ?? { currency, now: '0', atWorst: '0' }
    sums.set(currency, {
      currency,
      now: addAmounts(sum.now, now),
      atWorst: addAmounts(sum.atWorst, atWorst),
    })
  }
  return [...sums.values()].sort((a, b) => (a.currency < b.currency ? -1 : 1))
}

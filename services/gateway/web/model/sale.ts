import { timeText } from '../../../../src/application/log/time-text.js'
import { compareAmounts } from '../../../../src/client/display.js'
import type { OpenTerms } from '../../../../src/client/messages.js'
import { defaultIncrements } from '../../../../src/domain/increments.js'
import { MAX_TITLE_LENGTH } from '../../../../src/domain/limits.js'
import { formatAmount, parseAmount } from '../../../../src/domain/money.js'
import { ladder, type NumberSigns, readAmount } from './amount.js'

/** What a seller has filled in, as it stands in the fields. */
export interface Sale {
  readonly title: string
  readonly description: string
  readonly price: string
  readonly currency: string
  /** Minutes, or '' for until it is closed by hand. */
  readonly minutes: string
  readonly reserve: string
  readonly buyNow: string
  readonly increment: string
  /** Seconds; '0': off. */
  readonly softClose: string
  /** As the browser's date field writes it, in its zone. */
  readonly opens: string
  readonly names: 'public' | 'pseudonyms'
}

export const DURATIONS = ['5', '30', '60', '360', '1440', '4320', '10080', ''] as const
export const SOFT_CLOSES = ['0', '15', '30', '60', '120', '300'] as const

export function newSale(currency: string): Sale {
  return {
    title: '',
    description: '',
    price: '',
    currency,
    minutes: '60',
    reserve: '',
    buyNow: '',
    increment: '',
    softClose: '30',
    opens: '',
    names: 'public',
  }
}

/** Advanced fields that are not as they were: the reader should see them. */
export function changedAdvanced(sale: Sale): number {
  const fresh = newSale(sale.currency)
  const advanced = ['reserve', 'buyNow', 'increment', 'softClose', 'opens', 'names'] as const
  return advanced.filter((field) => sale[field] !== fresh[field]).length
}

export type SaleProblem =
  | 'title-missing'
  | 'title-long'
  | 'price-missing'
  | 'amount'
  | 'ambiguous'
  | 'decimals'
  | 'reserve-low'
  | 'buy-now-low'
  | 'currency'
  | 'opens-past'
  | 'opens-late'
export type SaleProblems = Partial<Record<keyof Sale, SaleProblem>>

export interface SaleContext {
  readonly signs: NumberSigns
  readonly nowMs: number
  /** How many decimals amounts of a currency have. */
  readonly decimals: (currency: string) => number
}

const CURRENCY = /^[A-Za-z0-9]{2,10}$/

/** The terms, or by field what is wrong. The gateway checks them all again. */
export function termsOf(
  sale: Sale,
  { signs, nowMs, decimals }: SaleContext,
): { terms: OpenTerms | null; problems: SaleProblems } {
  const problems: { -readonly [K in keyof Sale]?: SaleProblem } = {}
  const title = sale.title.trim()
  if (title === '') problems.title = 'title-missing'
  else if (title.length > MAX_TITLE_LENGTH) problems.title = 'title-long'
  const currency = sale.currency.trim().toUpperCase()
  if (!CURRENCY.test(currency)) problems.currency = 'currency'
  const places = problems.currency ? 2 : decimals(currency)
  const amount = (field: 'price' | 'reserve' | 'buyNow' | 'increment'): string | null => {
    const read = readAmount(sale[field], places, signs)
    if (read.kind === 'amount') return read.amount
    if (read.kind === 'ambiguous') problems[field] = 'ambiguous'
    else if (read.kind === 'invalid') problems[field] = read.why === 'too-many-decimals' ? 'decimals' : 'amount'
    return null
  }
  const price = amount('price')
  if (price === null) problems.price ??= 'price-missing'
  const [reserve, buyNow, increment] = [amount('reserve'), amount('buyNow'), amount('increment')]
  if (price !== null && reserve !== null && compareAmounts(reserve, price) < 0) problems.reserve = 'reserve-low'
  if (price !== null && buyNow !== null && compareAmounts(buyNow, price) <= 0) problems.buyNow = 'buy-now-low'
  const opensAt = sale.opens === '' ? null : Date.parse(sale.opens)
  if (opensAt !== null && !(opensAt > nowMs)) problems.opens = 'opens-past'
  if (price === null || Object.keys(problems).length > 0) return { terms: null, problems }
  const seconds = Number(sale.softClose)
  const closes = sale.minutes === '' ? null : (opensAt ?? nowMs) + Number(sale.minutes) * 60_000
  const description = sale.description.trim()
  const terms: OpenTerms = {
    title,
    start_price: price,
    currency,
    ...(description !== '' && { description }),
    ...(reserve !== null && { reserve }),
    ...(buyNow !== null && { buy_now: buyNow }),
    ...(increment !== null && { increment }),
    ...(opensAt !== null && { opens_at: timeText(opensAt) }),
    ...(closes !== null &&
      (opensAt === null ? { closes_in_seconds: Number(sale.minutes) * 60 } : { closes_at: timeText(closes) })),
    // Without an end there is nothing to be moved.
    ...(closes !== null &&
      seconds > 0 && { soft_close: { window_ms: seconds * 1_000, extension_ms: seconds * 1_000 } }),
    ...(sale.names === 'pseudonyms' && { bidder_names: 'pseudonyms' as const }),
  }
  return { terms, problems }
}

/** How bidding would go: the least that each bid has to be, by the step, or by the table that the home would use. */
export function firstAmounts(sale: Sale, context: SaleContext, count: number): string[] {
  const { terms } = termsOf(sale, context)
  if (terms === null) return []
  const { start_price: start, increment } = terms
  const code = sale.currency.trim().toUpperCase()
  const currency = { code, exponent: context.decimals(code) }
  const read = parseAmount(start, currency)
  if (!read.ok) return []
  const text = (minor: number) => formatAmount(minor, currency)
  const bands =
    increment === undefined
      ? defaultIncrements(currency, read.minor).map(({ from, step }) => ({ from: text(from), step: text(step) }))
      : [{ from: '0', step: increment }]
  return ladder(start, bands, count)
}

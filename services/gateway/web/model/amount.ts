import { addAmounts, compareAmounts } from '../../../../src/client/display.js'

/** What was typed, as the page understands it. Exact decimal text throughout: no amount is ever a float. */
export type ReadAmount =
  | { readonly kind: 'empty' }
  | { readonly kind: 'amount'; readonly amount: string }
  /** It could be either: the reader decides, not the page. */
  | { readonly kind: 'ambiguous'; readonly readings: readonly [string, string] }
  | { readonly kind: 'invalid'; readonly why: 'not-a-number' | 'too-many-decimals' | 'negative' }

const MAX_DIGITS = 15

/** How a locale writes numbers. */
export interface NumberSigns {
  readonly decimal: string
  readonly group: string
  /** Ten of them, 0 first. */
  readonly digits: string
}

export function numberSigns(locale: string): NumberSigns {
  const parts = new Intl.NumberFormat(locale).formatToParts(1_234_567.5)
  const sign = (type: string, otherwise: string) => parts.find((part) => part.type === type)?.value ?? otherwise
  const digits = Array.from({ length: 10 }, (_, digit) =>
    new Intl.NumberFormat(locale, { useGrouping: false }).format(digit),
  ).join('')
  return { decimal: sign('decimal', '.'), group: sign('group', ','), digits }
}

/** Reads an amount in a locale's writing. "1,234" and the like, which have two readings, are refused with both. */
export function readAmount(text: string, decimals: number, signs: NumberSigns): ReadAmount {
  const digits = [...signs.digits]
  const plain = [...text.trim()]
    .map((char) => {
      const digit = digits.indexOf(char)
      return digit < 0 ? char : String(digit)
    })
    .join('')
    .replace(/[٠-٩]/g, (char) => String(char.charCodeAt(0) - 0x660))
    .replace(/[٫]/g, signs.decimal)
    .replace(/[٬'’\s\u00a0\u202f]/g, '')
  if (plain === '') return { kind: 'empty' }
  if (/^[-−]/.test(plain)) return { kind: 'invalid', why: 'negative' }
  if (!/^[\d.,٫]+$/.test(plain) || !/\d/.test(plain)) return { kind: 'invalid', why: 'not-a-number' }
  const marks = [...plain].filter((char) => !/\d/.test(char))
  if (marks.length === 0) return whole(plain, decimals)
  const last = marks.at(-1) as string
  const kinds = new Set(marks)
  if (kinds.size > 2) return { kind: 'invalid', why: 'not-a-number' }
  if (kinds.size === 2) {
    // Both are there: the last one is the decimal one, whatever the locale.
    const first = marks[0] as string
    if (marks.filter((mark) => mark === last).length > 1 || !isGrouped(plain.split(last)[0] as string, first))
      return { kind: 'invalid', why: 'not-a-number' }
    return split(plain.replaceAll(first, ''), last, decimals)
  }
  if (marks.length > 1) {
    return isGrouped(plain, last)
      ? whole(plain.replaceAll(last, ''), decimals)
      : { kind: 'invalid', why: 'not-a-number' }
  }
  return oneMark(plain, last, { decimals, signs })
}

/** "1,234" or "12.5": a single mark, which may part thousands or decimals. */
function oneMark(
  plain: string,
  mark: string,
  { decimals, signs }: { decimals: number; signs: NumberSigns },
): ReadAmount {
  const asDecimal = split(plain, mark, decimals)
  if (!isGrouped(plain, mark)) return asDecimal
  const asGroup = whole(plain.replace(mark, ''), decimals)
  if (asGroup.kind !== 'amount') return asGroup
  if (mark === signs.group && asDecimal.kind !== 'amount') return asGroup
  if (mark === signs.decimal && asDecimal.kind === 'amount') return asDecimal
  // Of the other reading, what would be left of it with the decimals that there are.
  const [front = '', back = ''] = plain.split(mark)
  const cut = fixed(`${front}.${back.slice(0, decimals)}`, decimals)
  return {
    kind: 'ambiguous',
    readings: [asGroup.amount, asDecimal.kind === 'amount' ? asDecimal.amount : cut],
  }
}

/** By threes, or as in India: the last three, and pairs before them. */
function isGrouped(text: string, mark: string): boolean {
  const [first = '', ...rest] = text.split(mark)
  if (first === '0' || rest.length === 0) return false
  const sizes = rest.map(({ length }) => length)
  const byThrees = first.length <= 3 && sizes.every((size) => size === 3)
  const byPairs = first.length <= 2 && sizes.pop() === 3 && sizes.every((size) => size === 2)
  return first.length > 0 && (byThrees || byPairs)
}

function whole(digits: string, decimals: number): ReadAmount {
  return digits.replace(/^0+/, '').length > MAX_DIGITS
    ? { kind: 'invalid', why: 'not-a-number' }
    : { kind: 'amount', amount: fixed(digits, decimals) }
}

function split(text: string, mark: string, decimals: number): ReadAmount {
  const [front = '', back = ''] = text.split(mark)
  const tail = back.replace(/0+$/, '')
  if (tail.length > decimals) return { kind: 'invalid', why: 'too-many-decimals' }
  if (front.length + tail.length > MAX_DIGITS) return { kind: 'invalid', why: 'not-a-number' }
  return { kind: 'amount', amount: fixed(`${front === '' ? '0' : front}.${tail}`, decimals) }
}

/** With exactly so many decimals, as the gateway writes amounts. */
function fixed(text: string, decimals: number): string {
  const [front = '0', back = ''] = text.split('.')
  const head = front.replace(/^0+(?=\d)/, '')
  return decimals === 0 ? head : `${head}.${back.padEnd(decimals, '0')}`
}

/** How many decimals amounts of a currency have, by one of them. */
export function decimalsOf(amount: string): number {
  return amount.split('.')[1]?.length ?? 0
}

export interface Band {
  readonly from: string
  readonly step: string
}

/** The step that a bid must go beyond a price of `amount`. */
export function stepAt(amount: string, bands: readonly Band[]): string {
  const band = bands.findLast(({ from }) => compareAmounts(from, amount) <= 0) ?? bands[0]
  return band?.step ?? '1'
}

/** The next amounts of the ladder, the least that would do first. */
export function ladder(minimum: string, bands: readonly Band[], count: number): string[] {
  const rungs = [minimum]
  while (rungs.length < count) {
    const last = rungs.at(-1) as string
    rungs.push(addAmounts(last, stepAt(last, bands)))
  }
  return rungs
}

/** One rung up or down from what stands in the field; never below the minimum. */
export function stepped(
  amount: string,
  direction: 1 | -1,
  { minimum, bands }: { minimum: string; bands: readonly Band[] },
): string {
  if (compareAmounts(amount, minimum) < 0) return minimum
  if (direction === 1) return addAmounts(amount, stepAt(amount, bands))
  const step = stepAt(amount, bands)
  const lower = addAmounts(amount, `-${step}`)
  return compareAmounts(lower, minimum) < 0 ? minimum : lower
}

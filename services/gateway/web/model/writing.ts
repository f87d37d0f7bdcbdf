/** How a locale writes amounts and times. Amounts stay decimal text: nothing is rounded on the way. */
export interface Writing {
  /** "1,234.50 EUR". */
  money(amount: string, currency: string): string
  /** "1,234.50". */
  number(amount: string): string
  /** "1.2 GB". */
  unit(value: number, unit: string): string
  /** "05". */
  twoDigits(value: number): string
  /** "18:01:12". */
  clock(ms: number): string
  /** "Thu 28 Nov, 18:02:30 CET". */
  when(ms: number): string
  /** "28 Nov, 18:02". */
  short(ms: number): string
}

const NBSP = '\u00a0'

export function writingOf(locale: string, timeZone?: string): Writing {
  const zone = timeZone === undefined ? {} : { timeZone }
  const clock = new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    ...zone,
  })
  const when = new Intl.DateTimeFormat(locale, {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    ...zone,
  })
  const short = new Intl.DateTimeFormat(locale, {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...zone,
  })
  const numbers = new Map<number, Intl.NumberFormat>()
  const number = (amount: string) => {
    const digits = amount.split('.')[1]?.length ?? 0
    let format = numbers.get(digits)
    if (!format) {
      format = new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits })
      numbers.set(digits, format)
    }
    // As text, Intl takes it digit by digit; as a number it would be rounded.
    return format.format(amount as Intl.StringNumericLiteral)
  }
  const two = new Intl.NumberFormat(locale, { minimumIntegerDigits: 2 })
  return {
    number,
    unit: (value, unit) =>
      new Intl.NumberFormat(locale, {
        style: 'unit',
        unit,
        unitDisplay: 'short',
        maximumFractionDigits: 1,
      }).format(value),
    twoDigits: (value) => two.format(value),
    money: (amount, currency) => `${number(amount)}${NBSP}${currency}`,
    clock: (ms) => clock.format(ms),
    when: (ms) => when.format(ms),
    short: (ms) => short.format(ms),
  }
}

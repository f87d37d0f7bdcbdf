const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/

/** Amounts are decimal text. Negative where `a` is less than `b`, zero where they are worth the same. Exact. */
export function compareAmounts(a: string, b: string): number {
  const scale = Math.max(decimals(a), decimals(b))
  const difference = scaled(a, scale) - scaled(b, scale)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

/** The exact sum of two amounts, such as a price and an increment. */
export function addAmounts(a: string, b: string): string {
  const scale = Math.max(decimals(a), decimals(b))
  const sum = scaled(a, scale) + scaled(b, scale)
  const digits = String(sum < 0n ? -sum : sum).padStart(scale + 1, '0')
  const text = scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  return sum < 0n ? `-${text}` : text
}

/** "1,250.00 EUR": grouped for people, with every digit kept. For text only: programs go on with the amount itself. */
export function formatMoney(amount: string, currency: string, locale = 'en'): string {
  const [, sign = '', whole = '0', fraction = ''] = parts(amount)
  const grouped = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }).format(BigInt(whole))
  const point = new Intl.NumberFormat(locale).formatToParts(0.5).find(({ type }) => type === 'decimal')
  return `${sign}${grouped}${fraction === '' ? '' : (point?.value ?? '.') + fraction} ${currency}`
}

/** "2 d 3:04:05", "3:04:05", "4:05": rounded up, so that it reads zero only at the end. */
export function formatRemaining(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1_000))
  const two = (value: number) => String(value).padStart(2, '0')
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ]
  const small = `${two(minutes)}:${two(seconds % 60)}`
  if (days > 0) return `${days} d ${hours}:${small}`
  return hours > 0 ? `${hours}:${small}` : `${minutes}:${two(seconds % 60)}`
}

function parts(amount: string): RegExpExecArray {
  const match = DECIMAL.exec(amount.trim())
  if (!match) throw new RangeError(`${JSON.stringify(amount)} is no amount`)
  return match
}

function decimals(amount: string): number {
  return parts(amount)[3]?.length ?? 0
}

function scaled(amount: string, scale: number): bigint {
  const [, sign = '', whole = '0', fraction = ''] = parts(amount)
  return BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`)
}

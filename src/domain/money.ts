import type { Currency } from './currency.js'

/** An amount in integer minor units of the auction's currency; never a float, never negative. */
export type Minor = number

export const MAX_MINOR: Minor = Number.MAX_SAFE_INTEGER

/** An amount as it is written: decimal text ("105.00") or a JSON number. */
export type AmountInput = string | number

export type AmountProblem =
  | { readonly code: 'AMOUNT_NOT_A_NUMBER'; readonly given: string }
  | { readonly code: 'AMOUNT_NOT_POSITIVE'; readonly given: string }
  | { readonly code: 'AMOUNT_TOO_PRECISE'; readonly given: string; readonly decimals: number }
  | { readonly code: 'AMOUNT_TOO_LARGE'; readonly given: string; readonly maximum: string }
  | { readonly code: 'AMOUNT_INEXACT'; readonly given: string; readonly maximum: string }

export type ParsedAmount =
  | { readonly ok: true; readonly minor: Minor }
  | { readonly ok: false; readonly problem: AmountProblem }

/** Long enough for every JSON number, short enough for BigInt. */
const DECIMAL = /^(-?)(\d{1,400})(?:\.(\d{1,400}))?$/

/**
 * Reads "105.00" or the JSON number 105.5 exactly. A JSON number is read by its shortest decimal text, which is what
 * its sender wrote, as long as it has no more digits than a double holds; longer ones are refused. In strings,
 * exponents ("1e3"), signs other than a leading minus, bare points ("5.", ".5") and grouping are refused. Trailing
 * zeros past the currency's decimals are harmless, other digits there are an error.
 */
export function parseAmount(input: AmountInput, currency: Currency): ParsedAmount {
  const text = typeof input === 'string' ? input : decimalText(input)
  const plain = plainMinor(text, currency.exponent)
  if (plain !== null) return { ok: true, minor: plain }
  const given = String(input).slice(0, 60)
  const refuse = (problem: AmountProblem): ParsedAmount => ({ ok: false, problem })
  const match = DECIMAL.exec(text.trim())
  if (!match) return refuse({ code: 'AMOUNT_NOT_A_NUMBER', given })
  const [, sign, whole = '0', written = ''] = match
  const fraction = written.replace(/0+$/, '')
  if (fraction.length > currency.exponent) {
    return refuse({ code: 'AMOUNT_TOO_PRECISE', given, decimals: currency.exponent })
  }
  const minor = BigInt(whole + fraction.padEnd(currency.exponent, '0'))
  if (sign === '-' || minor === 0n) return refuse({ code: 'AMOUNT_NOT_POSITIVE', given })
  const tooMuch = (code: 'AMOUNT_TOO_LARGE' | 'AMOUNT_INEXACT', most: Minor) =>
    refuse({ code, given, maximum: formatAmount(most, currency) })
  if (minor > BigInt(MAX_MINOR)) return tooMuch('AMOUNT_TOO_LARGE', MAX_MINOR)
  if (typeof input === 'number' && minor > MAX_EXACT) return tooMuch('AMOUNT_INEXACT', Number(MAX_EXACT))
  return { ok: true, minor: Number(minor) }
}

/** Digits that a double holds, whatever they are. */
const SAFE_DIGITS = 15
const MAX_EXACT = 10n ** BigInt(SAFE_DIGITS) - 1n

/** Reads an amount in the most common form; null, which decides nothing, for all others. */
function plainMinor(text: string, exponent: number): Minor | null {
  if (text.length + exponent > SAFE_DIGITS) return null
  let minor = 0
  let point = -1
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit >= 0 && digit <= 9) minor = minor * 10 + digit
    else if (point === -1 && i > 0 && text[i] === '.') point = i
    else return null
  }
  const decimals = point === -1 ? 0 : text.length - point - 1
  if (minor === 0 || decimals > exponent || (point !== -1 && decimals === 0)) return null
  for (let i = decimals; i < exponent; i++) minor *= 10
  return minor
}

/** The shortest decimal text of a number; `String` turns to exponents below 1e-6 and from 1e21 on. */
function decimalText(value: number): string {
  const text = String(value)
  if (!text.includes('e')) return text
  const [mantissa = '', exponent] = text.split('e')
  const sign = value < 0 ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  const power = Number(exponent)
  return power < 0
    ? `${sign}0.${digits.padStart(digits.length - power - 1, '0')}`
    : sign + digits.padEnd(power + 1, '0')
}

export function isMinor(value: unknown): value is Minor {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0
}

/**
 * The plain decimal text of an amount: "105.00". Currencies with more than two decimals drop trailing zeros
 * past the second, so that 75.5 USDT reads "75.50" and not "75.500000". Sums may be larger than any amount.
 */
export function formatAmount(minor: Minor | bigint, currency: Currency): string {
  const digits = String(minor).padStart(currency.exponent + 1, '0')
  if (currency.exponent === 0) return digits
  const whole = digits.slice(0, -currency.exponent)
  const shown = digits.slice(-currency.exponent).replace(/0+$/, '').padEnd(Math.min(2, currency.exponent), '0')
  return `${whole}.${shown}`
}

/** "105.00 USD". */
export function formatMoney(minor: Minor | bigint, currency: Currency): string {
  return `${formatAmount(minor, currency)} ${currency.code}`
}

import { ISO_4217 } from './iso-4217.js'

/** A unit of account: its code and how many decimal places one major unit has (USD 2, JPY 0). */
export interface Currency {
  readonly code: string
  readonly exponent: number
}

/**
 * Currencies that ISO 4217 does not list. ETH is kept in gwei: with all of its 18 decimals, no amount
 * above 0.009 ETH would fit a safe integer.
 */
const UNLISTED: ReadonlyMap<string, number> = new Map([
  ['USDT', 6],
  ['USDC', 6],
  ['BTC', 8],
  ['ETH', 9],
])

const CODE = /^[A-Z][A-Z0-9]{2,9}$/
export const MAX_EXPONENT = 9

/**
 * Finds a currency by its code, in `extra` (code to exponent, from configuration) first.
 * Undefined for a code that nobody listed.
 */
export function findCurrency(code: string, extra: Readonly<Record<string, number>> = {}): Currency | undefined {
  if (!CODE.test(code)) return undefined
  const exponent = Object.hasOwn(extra, code) ? extra[code] : (UNLISTED.get(code) ?? ISO_4217.get(code))
  return exponent === undefined ? undefined : { code, exponent }
}

/** Whether a currency read from elsewhere is one we can count in. */
export function isCurrency(value: Currency): boolean {
  return (
    CODE.test(value.code) && Number.isInteger(value.exponent) && value.exponent >= 0 && value.exponent <= MAX_EXPONENT
  )
}

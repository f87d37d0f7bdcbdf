import { type Currency, findCurrency } from '../../domain/currency.js'
import type { Opening } from '../../domain/events.js'
import { defaultIncrements, flatIncrement, type IncrementBand, type Increments } from '../../domain/increments.js'
import { type AmountInput, type Minor, parseAmount } from '../../domain/money.js'
import type { Picture } from '../../domain/pictures/picture.js'
import type { SoftClose, Terms } from '../../domain/terms.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { OpenRequest } from '../../ports/node/node-requests.js'
import type { Random } from '../../ports/system/random.js'
import { commitmentOf, newSalt, RESERVE_SCOPE } from '../log/commitment.js'

/** Reads the amount of a field in the currency; throws a `NodeError` that says what is wrong with it. */
export function amountOf(field: string, input: AmountInput, currency: Currency): Minor {
  const parsed = parseAmount(input, currency)
  if (parsed.ok) return parsed.minor
  const { problem } = parsed
  const given = `"${problem.given}"`
  const fail = (rule: string, next: string) =>
    new NodeError('INVALID_INPUT', `${field} ${given}: ${rule}`, { field, next })
  switch (problem.code) {
    case 'AMOUNT_NOT_A_NUMBER':
      throw fail('is not an amount', 'write digits with a decimal point, such as 105 or 105.50')
    case 'AMOUNT_NOT_POSITIVE':
      throw fail('must be more than zero', 'give a positive amount')
    case 'AMOUNT_TOO_PRECISE':
      throw fail(`${currency.code} has ${problem.decimals} decimals at most`, 'round the amount')
    case 'AMOUNT_TOO_LARGE':
      throw fail(`must be at most ${problem.maximum}`, 'give a smaller amount')
    case 'AMOUNT_INEXACT':
      throw fail(`as a number must be at most ${problem.maximum}`, `write it as text: "${problem.maximum}"`)
    default: {
      const unknown: never = problem
      throw new Error(`unknown amount problem ${JSON.stringify(unknown)}`)
    }
  }
}

export interface OpenTermsOptions {
  readonly now: number
  readonly random: Random
  /** Configured currencies: code to exponent. */
  readonly currencies: Readonly<Record<string, number>>
  /** Those that the request names, as they are kept here. */
  readonly pictures: readonly Picture[]
}

/** Makes terms from a user's input. The rules decide whether the terms are sound. */
export function openTerms(request: OpenRequest, options: OpenTermsOptions): { terms: Terms; reserve: Opening | null } {
  const currency = findCurrency(request.currency, options.currencies)
  if (!currency) {
    throw new NodeError('INVALID_INPUT', `currency "${request.currency.slice(0, 20)}" is not known`, {
      field: 'currency',
      next: 'use an ISO 4217 code such as USD, one of USDT, USDC, BTC, ETH, or one from the configuration',
    })
  }
  const reserve = request.reserve === undefined ? null : sealReserve(request, currency, options.random)
  const startPrice = amountOf('start', request.start, currency)
  const { now, pictures } = options
  const opensAt = opensAtOf(request, now)
  const closesAt = closesAtOf(request, opensAt ?? now)
  const terms: Terms = {
    title: request.title,
    description: request.description ?? '',
    currency,
    startPrice,
    reserveCommitment: reserve?.commitment ?? null,
    increments: incrementsOf(request.increment, currency, startPrice),
    buyNow: request.buyNow === undefined ? null : amountOf('buyNow', request.buyNow, currency),
    opensAt,
    closesAt,
    softClose: softCloseOf(request, closesAt ?? now),
    bidderNames: request.bidderNames ?? 'public',
    givesTimeBack: request.givesTimeBack ?? true,
    pictures,
  }
  return { terms, reserve: reserve && { amount: reserve.amount, salt: reserve.salt } }
}

function sealReserve(request: OpenRequest, currency: Currency, random: Random) {
  const amount = amountOf('reserve', request.reserve ?? '', currency)
  const salt = newSalt(random)
  const commitment = commitmentOf({ scope: RESERVE_SCOPE, id: request.commandId, amount, salt })
  return { amount, salt, commitment }
}

/** Two fields that name the same moment exclude each other. */
function oneOf(request: OpenRequest, [a, b]: readonly [keyof OpenRequest, keyof OpenRequest]): void {
  if (request[a] === undefined || request[b] === undefined) return
  const field = b.replace(/Ms$/, '')
  throw new NodeError('INVALID_INPUT', `${a} and ${field} exclude each other`, {
    field,
    next: 'give one of the two',
  })
}

function opensAtOf(request: OpenRequest, now: number): number | null {
  oneOf(request, ['opensAt', 'opensInMs'])
  const { opensAt, opensInMs, openLate } = request
  if (opensInMs !== undefined) return now + opensInMs
  return opensAt === undefined || (openLate && opensAt <= now) ? null : opensAt
}

function closesAtOf(request: OpenRequest, openedAt: number): number | null {
  oneOf(request, ['closesAt', 'closesInMs'])
  const { closesAt, closesInMs } = request
  return closesInMs === undefined ? (closesAt ?? null) : openedAt + closesInMs
}

/** `end`: as it is at the opening. */
function softCloseOf(request: OpenRequest, end: number): SoftClose | null {
  oneOf(request, ['hardStopAt', 'hardStopInMs'])
  const { softClose, hardStopAt, hardStopInMs } = request
  const stop = hardStopInMs === undefined ? (hardStopAt ?? null) : end + hardStopInMs
  if (softClose) return { ...softClose, hardStopAt: stop }
  if (stop === null) return null
  throw new NodeError('INVALID_INPUT', 'hardStop caps a soft close, and there is none', {
    field: 'hardStop',
    next: 'add a soft close, or leave the hard stop out',
  })
}

/** "0.50", or bands "0:5,100:10,500:25" of price from and step. */
function incrementsOf(text: AmountInput | undefined, currency: Currency, startPrice: Minor): Increments {
  if (text === undefined) return defaultIncrements(currency, startPrice)
  if (typeof text === 'number' || !text.includes(':')) return flatIncrement(amountOf('increment', text, currency))
  return text.split(',').map((part): IncrementBand => {
    const [from = '', step = '', ...rest] = part.split(':')
    if (rest.length > 0 || !part.includes(':')) {
      throw new NodeError('INVALID_INPUT', `increment "${part.slice(0, 40)}" is not a band`, {
        field: 'increment',
        next: 'write bands as FROM:STEP, such as 0:5,100:10,500:25',
      })
    }
    const zero = /^0+(\.0*)?$/.test(from.trim())
    return {
      from: zero ? 0 : amountOf('increment', from, currency),
      step: amountOf('increment', step, currency),
    }
  })
}

import { z } from 'zod'
import { AUCTION_PHASES } from '../../domain/auction.js'
import type { OpenRequest } from '../../ports/node/node-requests.js'
import {
  amountIn,
  bidderNames,
  currencyIn,
  cursorIn,
  descriptionIn,
  durationMs,
  id,
  incrementIn,
  pageSize,
  picturesIn,
  searchIn,
  timeIn,
  titleIn,
} from '../log/input-schemas.js'
import { GatewayRefusal } from './gateway-refusal.js'

/** What those who call a gateway may say of an auction that they open, end or look for, whatever protocol they use. */

const DEFAULT_TITLE = 'Untitled lot'

export const openFields = {
  title: titleIn.exactOptional(),
  description: descriptionIn.exactOptional(),
  currency: currencyIn.exactOptional(),
  start_price: amountIn.exactOptional(),
  starting_bid: amountIn.exactOptional(),
  reserve: amountIn.exactOptional(),
  increment: incrementIn.exactOptional(),
  buy_now: amountIn.exactOptional(),
  opens_at: timeIn.nullable().exactOptional(),
  start_time: timeIn.nullable().exactOptional(),
  closes_at: timeIn.nullable().exactOptional(),
  end_time: timeIn.nullable().exactOptional(),
  closes_in_seconds: z.number().positive().max(1e9).exactOptional(),
  soft_close: z
    .strictObject({
      window_ms: durationMs,
      extension_ms: durationMs,
      hard_stop_at: timeIn.nullable().exactOptional(),
    })
    .nullable()
    .exactOptional(),
  bidder_names: bidderNames.exactOptional(),
  gives_time_back: z.boolean().exactOptional(),
  pictures: picturesIn.exactOptional(),
}
export const openTerms = z.strictObject(openFields)
type OpenTerms = z.output<typeof openTerms>

/** Throws `GatewayRefusal`. */
export function openRequest(terms: OpenTerms, defaultCurrency: string): Omit<OpenRequest, 'commandId'> {
  const { description, reserve, increment, soft_close } = terms
  const start = oneOf(terms, 'start_price', 'starting_bid')
  if (start === undefined)
    throw new GatewayRefusal('TERMS_INVALID', 'start_price is missing', {
      field: 'start_price',
      next: 'say at what price bidding starts',
    })
  const opensAt = oneOf(terms, 'opens_at', 'start_time') ?? null
  const closesAt = oneOf(terms, 'closes_at', 'end_time') ?? null
  const hardStopAt = soft_close?.hard_stop_at ?? null
  return {
    title: terms.title ?? DEFAULT_TITLE,
    currency: terms.currency ?? defaultCurrency,
    start,
    ...(description !== undefined && { description }),
    ...(reserve !== undefined && { reserve }),
    ...(increment !== undefined && { increment }),
    ...(terms.buy_now !== undefined && { buyNow: terms.buy_now }),
    ...(opensAt !== null && { opensAt }),
    ...(terms.start_time && { openLate: true as const }),
    ...(closesAt !== null && { closesAt }),
    ...(terms.closes_in_seconds !== undefined && { closesInMs: Math.ceil(terms.closes_in_seconds * 1_000) }),
    ...(soft_close && {
      softClose: { windowMs: soft_close.window_ms, extensionMs: soft_close.extension_ms },
    }),
    ...(hardStopAt !== null && { hardStopAt }),
    ...(terms.bidder_names !== undefined && { bidderNames: terms.bidder_names }),
    ...(terms.gives_time_back !== undefined && { givesTimeBack: terms.gives_time_back }),
    ...(terms.pictures !== undefined && { pictures: terms.pictures }),
  }
}

function oneOf<K extends keyof OpenTerms>(terms: OpenTerms, name: K, alias: K): OpenTerms[K] {
  if (terms[name] !== undefined && terms[alias] !== undefined) {
    throw new GatewayRefusal('INVALID_INPUT', `${name} and ${alias} say the same`, {
      field: alias,
      next: `give ${name} alone`,
    })
  }
  return terms[name] ?? terms[alias]
}

/** What `extend` adds if its caller does not say. */
export const DEFAULT_EXTENSION_SECONDS = 30

export const extendFields = {
  closes_at: timeIn.exactOptional(),
  end_time: timeIn.exactOptional(),
  by_seconds: z.number().positive().max(1e9).exactOptional(),
}
export const extendTerms = z.strictObject(extendFields)

/** Throws `GatewayRefusal`. */
export function newEndOf(terms: z.output<typeof extendTerms>): { closesAt: number } | { addedMs: number } {
  const { closes_at, end_time, by_seconds } = terms
  const given = Object.entries({ closes_at, end_time, by_seconds }).filter(([, value]) => value !== undefined)
  if (given.length > 1)
    throw new GatewayRefusal('INVALID_INPUT', `${given.map(([name]) => name).join(' and ')} exclude each other`, {
      field: given[1]?.[0] ?? '',
      next: 'give one of them',
    })
  const named = closes_at ?? end_time
  const bySeconds = by_seconds ?? DEFAULT_EXTENSION_SECONDS
  return named === undefined ? { addedMs: Math.ceil(bySeconds * 1_000) } : { closesAt: named }
}

export const statusesIn = z
  .array(z.enum(AUCTION_PHASES, { error: `must be of ${AUCTION_PHASES.join(', ')}` }))
  .max(AUCTION_PHASES.length)

export const listFields = {
  q: searchIn.exactOptional(),
  seller: id.exactOptional(),
  bidder: id.exactOptional(),
  sort: z.enum(['newest', 'ending']).exactOptional(),
  cursor: cursorIn.exactOptional(),
}
export const listTerms = z.strictObject({
  status: statusesIn.exactOptional(),
  ...listFields,
  limit: pageSize.exactOptional(),
})
export type ListTerms = z.output<typeof listTerms>

import { type Currency, isCurrency } from './currency.js'
import { type Increments, MAX_INCREMENT_BANDS } from './increments.js'
import {
  isTime,
  MAX_DESCRIPTION_LENGTH,
  MAX_DURATION_MS,
  MAX_SOFT_CLOSE_MS,
  MAX_TITLE_LENGTH,
  nameProblem,
  proseProblem,
} from './limits.js'
import { isMinor, type Minor } from './money.js'
import { type Picture, pictureProblems } from './pictures/picture.js'

/**
 * When an accepted bid changes leader or price within `windowMs` of the end, the end moves to at least
 * `extensionMs` after the bid, never past `hardStopAt`.
 */
export interface SoftClose {
  readonly windowMs: number
  readonly extensionMs: number
  /** UTC milliseconds; null: no cap. */
  readonly hardStopAt: number | null
}

/**
 * Under what names gateways show the bidders that have accounts with them: their own, or one made for this auction
 * alone. Whoever bids from a node bids under the node's name either way, which signs for it.
 */
export const BIDDER_NAMES = ['public', 'pseudonyms'] as const
export type BidderNames = (typeof BIDDER_NAMES)[number]

/** What an auction is held under; frozen by its opening commit. Times are UTC milliseconds. */
export interface Terms {
  readonly title: string
  readonly description: string
  readonly currency: Currency
  readonly startPrice: Minor
  /** Salted commitment to the reserve (see commitment.ts), or null where there is none. The amount stays secret. */
  readonly reserveCommitment: string | null
  readonly increments: Increments
  readonly buyNow: Minor | null
  /** Null: open at once. */
  readonly opensAt: number | null
  /** Null: closed by hand. */
  readonly closesAt: number | null
  readonly softClose: SoftClose | null
  readonly bidderNames: BidderNames
  /**
   * Whether an end that falls within a time in which nobody could bid is moved, so that bidders get that time back (see
   * outage.ts).
   */
  readonly givesTimeBack: boolean
  /** What is shown of the lot, the first one first. */
  readonly pictures: readonly Picture[]
}

/** One broken rule of one field. */
export interface TermsProblem {
  readonly field: string
  readonly rule: string
}

const COMMITMENT = /^[0-9a-f]{64}$/

/** Every rule the terms break on their own; empty when they are sound. `reserve` is known to the home alone. */
export function termsProblems(terms: Terms, reserve?: Minor | null): TermsProblem[] {
  const problems: TermsProblem[] = []
  const check = (field: string, holds: boolean, rule: string) => {
    if (!holds) problems.push({ field, rule })
  }
  const checkText = (field: string, rule: string | null) => {
    if (rule !== null) problems.push({ field, rule })
  }
  checkText('title', nameProblem(terms.title, MAX_TITLE_LENGTH))
  checkText('description', proseProblem(terms.description, MAX_DESCRIPTION_LENGTH))
  check('currency', isCurrency(terms.currency), 'must be a known currency')
  check('start', isMinor(terms.startPrice), 'must be a positive amount')
  if (terms.reserveCommitment !== null) {
    check('reserve', COMMITMENT.test(terms.reserveCommitment), 'must be committed to by a SHA-256 in hex')
  }
  if (reserve !== undefined && reserve !== null) {
    check('reserve', isMinor(reserve) && reserve >= terms.startPrice, 'must be at least the start price')
  }
  if (terms.buyNow !== null) {
    check('buyNow', isMinor(terms.buyNow) && terms.buyNow >= terms.startPrice, 'must be at least the start price')
    check('buyNow', !reserve || terms.buyNow >= reserve, 'must be at least the reserve')
  }
  problems.push(...incrementProblems(terms.increments), ...timeProblems(terms), ...pictureProblems(terms.pictures))
  return problems
}

function incrementProblems(increments: Increments): TermsProblem[] {
  const field = 'increment'
  if (increments.length < 1 || increments.length > MAX_INCREMENT_BANDS) {
    return [{ field, rule: `must have 1 to ${MAX_INCREMENT_BANDS} bands` }]
  }
  if (increments[0]?.from !== 0) return [{ field, rule: 'the first band must start at 0' }]
  const ascending = increments.every((band, i) => i === 0 || band.from > (increments[i - 1]?.from ?? 0))
  const whole = increments.every((band) => Number.isSafeInteger(band.from) && isMinor(band.step))
  if (!ascending || !whole) return [{ field, rule: 'bands must ascend, and each step must be a positive amount' }]
  return []
}

function timeProblems(terms: Terms): TermsProblem[] {
  const problems: TermsProblem[] = []
  const { opensAt, closesAt, softClose } = terms
  if (opensAt !== null && !isMoment(opensAt)) problems.push({ field: 'opensAt', rule: 'must be a time' })
  if (closesAt !== null && !isMoment(closesAt)) problems.push({ field: 'closesAt', rule: 'must be a time' })
  if (opensAt !== null && closesAt !== null && closesAt <= opensAt) {
    problems.push({ field: 'closesAt', rule: 'must be after opensAt' })
  }
  if (softClose === null) return problems
  const sane = (ms: number) => Number.isSafeInteger(ms) && ms > 0 && ms <= MAX_SOFT_CLOSE_MS
  if (!sane(softClose.windowMs) || !sane(softClose.extensionMs)) {
    problems.push({ field: 'softClose', rule: 'window and extension must each be between 1 ms and 24 h' })
  }
  if (closesAt === null) {
    problems.push({ field: 'softClose', rule: 'needs an end time (closesAt)' })
  } else if (softClose.hardStopAt !== null && !(isMoment(softClose.hardStopAt) && softClose.hardStopAt >= closesAt)) {
    problems.push({ field: 'hardStop', rule: 'must not be before closesAt' })
  }
  return problems
}

/** No auction opened or ended at the start of 1970: a 0 is a mistake. */
function isMoment(ms: number): boolean {
  return isTime(ms) && ms > 0
}

/** Rules that hold at the moment when times are set: still ahead, and not absurdly far. */
export function openingProblems(terms: Pick<Terms, 'opensAt' | 'closesAt' | 'softClose'>, now: number): TermsProblem[] {
  const problems: TermsProblem[] = []
  const ahead = (field: string, at: number | null) => {
    if (at === null) return
    if (at <= now) problems.push({ field, rule: 'must be in the future' })
    else if (at - now > MAX_DURATION_MS) problems.push({ field, rule: 'must be within 10 years' })
  }
  ahead('opensAt', terms.opensAt)
  ahead('closesAt', terms.closesAt)
  ahead('hardStop', terms.softClose?.hardStopAt ?? null)
  return problems
}

import { z } from 'zod'
import {
  ID,
  isWellFormed,
  lineProblem,
  MAX_PARTY_NAME_LENGTH,
  MAX_PICTURE_BYTES,
  MAX_REASON_LENGTH,
  MAX_SEQ,
  MAX_TIME,
  nameProblem,
} from '../../domain/limits.js'
import type { AmountInput, Minor } from '../../domain/money.js'
import { TOO_MANY_PICTURES } from '../../domain/pictures/picture.js'
import { BIDDER_NAMES } from '../../domain/terms.js'
import { parseTime } from './time-text.js'

/**
 * What an id, a name, an amount or a time must look like, whichever way it comes. Every surface, every message between
 * nodes and every text that is read from a disk is checked with these, and their limits are those of the log.
 */

/* As they stand in logs and in messages of nodes: checked, and never changed, since hashes and signatures cover them. */

export const id = z.string().regex(ID, 'must be an id: 1 to 96 characters of A-Z a-z 0-9 _ . : -')
export const HEX64 = /^[0-9a-f]{64}$/
/** 32 bytes, a key or a SHA-256, in base64url: the bits that it leaves over are zero. */
export const BYTES32 = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/
/** 64 bytes, an Ed25519 signature, likewise. */
export const SIGNATURE = /^[A-Za-z0-9_-]{85}[AQgw]$/
export const hex64 = z.string().regex(HEX64, 'must be a SHA-256 in lower-case hex')
export const salt = z.string().regex(/^[0-9a-f]{32}$/, 'must be 32 hex digits')

/** UTC milliseconds. */
export const time = z.int().min(0).max(MAX_TIME)
/** Of an event in its auction's log. */
export const seq = z.int().min(1).max(MAX_SEQ)
/** How far a log goes; 0: not at all. */
export const length = z.int().min(0).max(MAX_SEQ)
/** Any number of things, of which only the number is said. */
export const count = z.int().nonnegative()
export const minor: z.ZodType<Minor> = z.int().positive()

/** Text of one line that may be shown on a terminal as it is. */
export function line(maxLength: number): z.ZodType<string, string> {
  return checked((text) => lineProblem(text, maxLength))
}

/** Any text that survives being stored. */
export function text(maxLength: number): z.ZodType<string, string> {
  return z.string().max(maxLength).refine(isWellFormed, 'must be whole Unicode text')
}

export const name = checked((text) => nameProblem(text, MAX_PARTY_NAME_LENGTH))
export const reason = line(MAX_REASON_LENGTH)
export const party = z.strictObject({ id, name })

function checked(problemOf: (text: string) => string | null): z.ZodType<string, string> {
  return z.string().superRefine((text, context) => {
    const message = problemOf(text)
    if (message !== null) context.addIssue({ code: 'custom', message })
  })
}

/* As people and programs write them: made into what stands in the log. Names and titles that look the same become the same. */

/** An auction's id, or the start of one. */
export const AUCTION_REFERENCE = /^[A-Za-z0-9_-]{1,96}$/
export const auctionReference = z.string().regex(AUCTION_REFERENCE, "must be an auction's id, or the start of one")

/** Of a request, for the log lines of every node that it passes. */
export const REQUEST_ID = ID
export const requestId = z.string().regex(REQUEST_ID, 'must be 1 to 96 characters of A-Z, a-z, 0-9, "_", ".", ":", "-"')

/** What a client of a gateway calls a command: `Idempotency-Key`, `bid_id`, `bidId`. */
export const CLIENT_KEY = /^[\x21-\x7e]{1,128}$/
export const CLIENT_KEY_RULE = 'must be 1 to 128 visible ASCII characters'
export const clientKey = z.string().regex(CLIENT_KEY, CLIENT_KEY_RULE)

export const AMOUNT_RULE = 'must be an amount, such as "105.00"'
const AMOUNT = /^\s*\S+\s*$/
const MAX_AMOUNT_LENGTH = 64

/** Decimal text or a JSON number; what it comes to in a currency is for `parseAmount` to say. */
export const amountIn: z.ZodType<AmountInput> = z.union(
  [z.string().max(MAX_AMOUNT_LENGTH, AMOUNT_RULE).regex(AMOUNT, AMOUNT_RULE), z.number(AMOUNT_RULE)],
  { error: AMOUNT_RULE },
)

/** As `amountIn`, for where a schema would cost more than all the rest. */
export function isAmountIn(value: unknown): value is AmountInput {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value === 'string' && value.length <= MAX_AMOUNT_LENGTH && AMOUNT.test(value)
}

/** A least step, or bands FROM:STEP of it. */
const MAX_INCREMENT_INPUT = 2_000
export const incrementIn: z.ZodType<AmountInput> = z.union(
  [z.string().max(MAX_INCREMENT_INPUT).refine(isWellFormed), z.number()],
  { error: 'must be an amount, or bands such as 0:5,100:10,500:25' },
)

export const CURRENCY_RULE = 'must be a currency code, like USD'
export const currencyIn = z
  .string()
  .regex(/^[A-Za-z0-9]{1,10}$/, CURRENCY_RULE)
  .transform((code) => code.toUpperCase())

/** Longer than any text that is taken: what it may be is for the rules to say, all of them at once. */
const MAX_TITLE_INPUT = 10_000
const MAX_DESCRIPTION_INPUT = 100_000

export const titleIn = text(MAX_TITLE_INPUT).transform((title) => composed(title).trim())
/** Line breaks are those of Unix. */
export const descriptionIn = text(MAX_DESCRIPTION_INPUT).transform((lines) => composed(lines.replace(/\r\n?/g, '\n')))
export const reasonIn = text(MAX_TITLE_INPUT).transform(composed).pipe(reason)
export const nameIn = text(MAX_TITLE_INPUT).transform(composed).pipe(name)
/** Of a piece of a picture, in the whole. */
export const pictureOffset = z.int().min(0).max(MAX_PICTURE_BYTES)
/** So many bytes at most, written as text. */
export function base64(maxBytes: number): z.ZodType<string> {
  return z
    .string()
    .max(Math.ceil(maxBytes / 3) * 4, `must hold ${maxBytes} bytes at most`)
    .regex(/^[A-Za-z0-9+/]*={0,2}$/, 'must be base64')
}
/** A picture that was added before; what it shows is for whoever cannot see it. */
export const pictureIn = z.strictObject({
  hash: hex64,
  alt: text(MAX_TITLE_INPUT).transform(altIn).exactOptional(),
})
/** Longer than any list that is taken, so that the rule can name the numbers. */
const MAX_PICTURES_INPUT = 100
export const picturesIn = z.array(pictureIn).max(MAX_PICTURES_INPUT, TOO_MANY_PICTURES)
export const searchIn = text(MAX_TITLE_INPUT)
const MAX_CURSOR_LENGTH = 512
export const cursorIn = text(MAX_CURSOR_LENGTH)
export const bidderNames = z.enum(BIDDER_NAMES)

/** What programs that describe pictures write over several lines is one line here. */
function altIn(text: string): string {
  return composed(text.replace(/\s+/g, ' ').trim())
}

/** One form for what looks the same: "José" in two of them would be two bidders. */
export function composed(text: string): string {
  return text.normalize('NFC')
}

/** A moment in RFC 3339, as UTC milliseconds. */
export const timeIn = z
  .string()
  .max(64)
  .meta({ format: 'date-time' })
  .transform((text, context) => {
    const parsed = parseTime(text)
    if (parsed.ok) return parsed.ms
    context.issues.push({ code: 'custom', input: text, message: `${parsed.rule}: ${parsed.next}` })
    return z.NEVER
  })

export const durationMs = z.int().positive()

/** Of a new end: exactly one of these. */
export const newEnd = { closesAt: time.exactOptional(), addedMs: durationMs.max(MAX_TIME).exactOptional() }
export const hasOneEnd = (end: { closesAt?: number; addedMs?: number }) =>
  (end.closesAt === undefined) !== (end.addedMs === undefined)
export const ONE_END_RULE = { path: ['closesAt'], message: 'or addedMs must be given, and not both' }

const MAX_PAGE = 1_000
export const pageSize = z.int().min(1).max(MAX_PAGE)

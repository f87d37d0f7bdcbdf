import { z } from 'zod'
import type { Rejection } from '../../domain/rejection.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import { id, line, minor, name, seq, time } from '../log/input-schemas.js'

const MAX_PROBLEMS = 64

const code = <const Code extends Rejection['code']>(value: Code) => z.literal(value)

const rejectionSchema: z.ZodType<Rejection> = z.discriminatedUnion('code', [
  z.strictObject({
    code: code('TERMS_INVALID'),
    problems: z.array(z.strictObject({ field: line(64), rule: line(400) })).max(MAX_PROBLEMS),
  }),
  z.strictObject({ code: code('NOT_OPEN_YET'), opensAt: time }),
  z.strictObject({ code: code('AUCTION_ENDED'), endedAt: time }),
  z.strictObject({ code: code('AUCTION_CLOSED'), closedAt: time }),
  z.strictObject({ code: code('AUCTION_CANCELLED'), cancelledAt: time }),
  z.strictObject({ code: code('OWN_AUCTION') }),
  z.strictObject({ code: code('ALREADY_LEADING'), price: minor }),
  z.strictObject({ code: code('BID_TOO_LOW'), minimum: minor.nullable(), price: minor.nullable() }),
  z.strictObject({ code: code('MAX_BELOW_PRICE'), price: minor }),
  z.strictObject({ code: code('BUY_NOW_AVAILABLE'), buyNow: minor, minimum: minor.nullable() }),
  z.strictObject({ code: code('NO_BUY_NOW') }),
  z.strictObject({ code: code('BUY_NOW_WITHDRAWN'), minimum: minor.nullable() }),
  z.strictObject({ code: code('NOT_SELLER'), seller: name }),
  z.strictObject({ code: code('HAS_BIDS'), bidCount: z.int().nonnegative() }),
  z.strictObject({ code: code('NO_END_TIME') }),
  z.strictObject({ code: code('EXTENSION_NOT_LATER'), closesAt: time }),
  z.strictObject({ code: code('PAST_HARD_STOP'), hardStopAt: time }),
  z.strictObject({ code: code('COMMAND_ID_REUSED') }),
  z.strictObject({ code: code('NOT_DUE'), dueAt: time.nullable() }),
])

/** An outcome in another node's words: in an answer, or in what goes with an auction that moves. */
export const outcomeSchema: z.ZodType<Outcome> = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('accepted'),
    commandId: id,
    auctionId: id,
    seq,
    at: time,
    bid: z.strictObject({ leads: z.boolean(), price: minor, reserveMet: z.boolean() }).exactOptional(),
  }),
  z.strictObject({
    status: z.literal('rejected'),
    commandId: id,
    auctionId: id,
    at: time,
    rejection: rejectionSchema,
  }),
])

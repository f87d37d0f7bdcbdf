import { z } from 'zod'
import type { AuctionEvent, BidPlaced } from '../../domain/events.js'
import { MAX_NAME_LENGTH, type Party } from '../../domain/party.js'
import { BYTES32, eventSchema, HEX64, hex64, id, MAX_ID_LENGTH, SIGNATURE, time } from './event-schema.js'

/** An order as it stands in the commit that carries out commands of it. */
export interface CommittedOrder {
  /** The Ed25519 public key of the node that signed it, base64url. */
  readonly signer: string
  /** The signer's clock, UTC milliseconds. */
  readonly signedAt: number
  /** Of each command in the order: the place among the commit's events of the one that carries it out, its digest otherwise. */
  readonly commands: readonly (number | string)[]
  readonly signature: string
}

/** What a commit's body says. */
export interface CommitBody {
  /** Null in the opening commit, as is `prevHash`. */
  readonly auctionId: string | null
  readonly firstSeq: number
  readonly prevHash: string | null
  readonly events: readonly AuctionEvent[]
  /** That the bids among the events came with. */
  readonly orders: readonly CommittedOrder[]
}

export const MAX_EVENTS_PER_COMMIT = 4_096
const MAX_COMMANDS_PER_ORDER = 1_000

/** A body that cannot be read; `rule` names the place and what belongs there. */
export class BodyError extends Error {
  readonly code = 'BAD_BODY'
  constructor(
    readonly rule: string,
    options?: ErrorOptions,
  ) {
    super(rule, options)
    this.name = 'BodyError'
  }
}

/**
 * Bids are most of what nodes keep, send, hash and read, so as text they are lists, and a bidder of a commit is named
 * once: `[at, bidId, bidder's place in parties, offer, price, leads, reserveMet]`, the offer being an amount or the
 * commitment to a maximum. Other events are objects, as they are in memory.
 */
type WrittenBid = readonly [
  at: number,
  bidId: string,
  party: number,
  offer: number | string,
  price: number,
  leads: boolean,
  reserveMet: boolean,
]
type WrittenEvent = WrittenBid | Exclude<AuctionEvent, BidPlaced>
type WrittenParty = readonly [id: string, name: string]
type WrittenOrder = readonly [
  signer: string,
  signedAt: number,
  commands: readonly (number | string)[],
  signature: string,
]

interface WrittenBody {
  readonly auctionId: string | null
  readonly firstSeq: number
  readonly prevHash: string | null
  readonly parties: readonly WrittenParty[]
  readonly events: readonly WrittenEvent[]
  readonly orders: readonly WrittenOrder[]
}

/** The text that is hashed, stored and sent from then on. */
export function writeBody({ auctionId, firstSeq, prevHash, events, orders }: CommitBody): string {
  const parties: WrittenParty[] = []
  const places = new Map<string, number>()
  const placeOf = ({ id, name }: Party): number => {
    const key = `${id.length} ${id}${name}`
    const known = places.get(key)
    if (known !== undefined) return known
    places.set(key, parties.length)
    return parties.push([id, name]) - 1
  }
  const body: WrittenBody = {
    auctionId,
    firstSeq,
    prevHash,
    parties,
    events: events.map((event) => (event.type === 'BidPlaced' ? writtenBid(event, placeOf) : event)),
    orders: orders.map(({ signer, signedAt, commands, signature }) => [
      signer,
      signedAt,
      commands,
      signature,
    ]),
  }
  return JSON.stringify(body)
}

function writtenBid(event: BidPlaced, placeOf: (party: Party) => number): WrittenBid {
  const { at, bidId, bidder, amount, commitment, price, leads, reserveMet } = event
  return [at, bidId, placeOf(bidder), amount ?? commitment ?? '', price, leads, reserveMet]
}

/** What the text says, its shape checked; what it may say in a given state is for `evolve` to check. Throws `BodyError`. */
export function readBody(text: string): CommitBody {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw new BodyError('the body is not JSON', { cause })
  }
  const outer = outerSchema.safeParse(json)
  if (!outer.success) throw shapeError(outer.error, [])
  const { parties: written, events, orders, ...head } = outer.data
  const parties = written.map(partyOf)
  return {
    ...head,
    events: events.map((event, i) => readEvent(event, parties, i)),
    orders: orders.map((order, i) => readOrder(order, events.length, i)),
  }
}

/** What a text says that has been read before, and is not checked again. */
export function readBodyAgain(text: string): CommitBody {
  const body = JSON.parse(text) as WrittenBody
  const { parties: _, orders, ...head } = body
  return {
    ...head,
    events: eventsIn(body),
    orders: orders.map(([signer, signedAt, commands, signature]) => {
      return { signer, signedAt, commands, signature }
    }),
  }
}

/** The events of such a text. */
export function eventsOf(text: string): readonly AuctionEvent[] {
  return eventsIn(JSON.parse(text) as WrittenBody)
}

function eventsIn({ parties: written, events }: WrittenBody): AuctionEvent[] {
  const parties = written.map(partyOf)
  return events.map((event) => (isWrittenBid(event) ? bidOf(event, parties) : event))
}

function partyOf([id, name]: WrittenParty): Party {
  return { id, name }
}

function isWrittenBid(event: WrittenEvent): event is WrittenBid {
  return Array.isArray(event)
}

function bidOf(written: WrittenBid, parties: readonly Party[]): BidPlaced {
  const [at, bidId, party, offer, price, leads, reserveMet] = written
  const isPlain = typeof offer === 'number'
  return {
    type: 'BidPlaced',
    at,
    bidId,
    bidder: parties[party] as Party,
    amount: isPlain ? offer : null,
    commitment: isPlain ? null : offer,
    price,
    leads,
    reserveMet,
  }
}

const outerSchema = z.strictObject({
  auctionId: z.string().max(64).nullable(),
  firstSeq: z.int().positive(),
  prevHash: hex64.nullable(),
  parties: z.array(z.tuple([id, z.string().max(MAX_NAME_LENGTH)])).max(MAX_EVENTS_PER_COMMIT),
  events: list(1, MAX_EVENTS_PER_COMMIT),
  orders: list(0, MAX_EVENTS_PER_COMMIT),
})

/** What is in it is checked one by one: a schema costs more for a bid than all else that a replica checks. */
function list(min: number, max: number): z.ZodType<readonly unknown[]> {
  const isList = (value: unknown) => Array.isArray(value) && value.length >= min && value.length <= max
  return z.custom<readonly unknown[]>(isList, `must be a list of ${min} to ${max}`)
}

function readEvent(json: unknown, parties: readonly Party[], place: number): AuctionEvent {
  if (Array.isArray(json)) {
    if (isSoundBid(json, parties.length)) return bidOf(json, parties)
    throw new BodyError(
      `the body's events.${place}: a bid is [at, bidId, place in parties, amount or commitment, price, leads, reserveMet]`,
    )
  }
  const parsed = eventSchema.safeParse(json)
  if (parsed.success) return parsed.data
  throw shapeError(parsed.error, ['events', place])
}

function isSoundBid(json: readonly unknown[], parties: number): json is WrittenBid {
  const [at, bidId, party, offer, price, leads, reserveMet] = json
  return (
    json.length === 7 &&
    isWhole(at, 0) &&
    typeof bidId === 'string' &&
    bidId.length >= 1 &&
    bidId.length <= MAX_ID_LENGTH &&
    isWhole(party, 0) &&
    party < parties &&
    (typeof offer === 'string' ? HEX64.test(offer) : isWhole(offer, 1)) &&
    isWhole(price, 1) &&
    typeof leads === 'boolean' &&
    typeof reserveMet === 'boolean'
  )
}

const orderSchema = z.tuple([
  z.string().regex(BYTES32),
  time,
  list(1, MAX_COMMANDS_PER_ORDER),
  z.string().regex(SIGNATURE),
])

function readOrder(json: unknown, events: number, place: number): CommittedOrder {
  const parsed = orderSchema.safeParse(json)
  if (!parsed.success) throw shapeError(parsed.error, ['orders', place])
  const [signer, signedAt, commands, signature] = parsed.data
  const isSound = (command: unknown): command is number | string =>
    typeof command === 'string' ? BYTES32.test(command) : isWhole(command, 0) && command < events
  if (commands.every(isSound)) return { signer, signedAt, commands, signature }
  throw new BodyError(
    `the body's orders.${place}.2: a command is its bid's place in events, or a digest in base64url`,
  )
}

function isWhole(value: unknown, min: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= min
}

function shapeError({ issues: [issue] }: z.ZodError, within: readonly PropertyKey[]): BodyError {
  const path = [...within, ...(issue?.path ?? [])].join('.')
  return new BodyError(`the body's ${path || 'shape'}: ${issue?.message}`)
}

import type { AuctionEvent, BidPlaced } from '../../domain/events.js'
import type { Party } from '../../domain/party.js'

/**
 * What stands where in a body's text. Checks nothing, so that the thread that stores commits loads none of what checks
 * them.
 */

/** A mandate as it stands in the commit that carries out commands of it. */
export interface CommittedMandate {
  /** The Ed25519 public key of the node that signed it, base64url. */
  readonly signer: string
  /** The signer's clock, UTC milliseconds. */
  readonly signedAt: number
  /**
   * Of each command in the mandate: the place among the commit's events of the one that carries it out, its digest
   * otherwise.
   */
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
  readonly mandates: readonly CommittedMandate[]
}

/**
 * Bids are most of what nodes keep, send, hash and read, so as text they are lists, and a bidder of a commit is named
 * once: `[at, bidId, bidder's place in parties, offer, price, leads, reserveMet]`, the offer being an amount or the
 * commitment to a maximum. Other events are objects, as they are in memory.
 */
export type WrittenBid = readonly [
  at: number,
  bidId: string,
  party: number,
  offer: number | string,
  price: number,
  leads: boolean,
  reserveMet: boolean,
]
export type WrittenEvent = WrittenBid | Exclude<AuctionEvent, BidPlaced>
type WrittenParty = readonly [id: string, name: string]
export type WrittenMandate = readonly [
  signer: string,
  signedAt: number,
  commands: readonly (number | string)[],
  signature: string,
]

export interface WrittenBody {
  readonly auctionId: string | null
  readonly firstSeq: number
  readonly prevHash: string | null
  readonly parties: readonly WrittenParty[]
  readonly events: readonly WrittenEvent[]
  readonly mandates: readonly WrittenMandate[]
}

export function writtenBody({ auctionId, firstSeq, prevHash, events, mandates }: CommitBody): WrittenBody {
  const parties: WrittenParty[] = []
  const places = new Map<string, number>()
  const placeOf = ({ id, name }: Party): number => {
    const key = `${id.length} ${id}${name}`
    const known = places.get(key)
    if (known !== undefined) return known
    places.set(key, parties.length)
    return parties.push([id, name]) - 1
  }
  return {
    auctionId,
    firstSeq,
    prevHash,
    parties,
    events: events.map((event) => (event.type === 'BidPlaced' ? writtenBid(event, placeOf) : event)),
    mandates: mandates.map(({ signer, signedAt, commands, signature }) => [signer, signedAt, commands, signature]),
  }
}

function writtenBid(event: BidPlaced, placeOf: (party: Party) => number): WrittenBid {
  const { at, bidId, bidder, amount, commitment, price, leads, reserveMet } = event
  return [at, bidId, placeOf(bidder), amount ?? commitment ?? '', price, leads, reserveMet]
}

/** What a text says that has been read before, and is not checked again. */
export function readBodyAgain(text: string): CommitBody {
  return bodyOf(JSON.parse(text) as WrittenBody)
}

export function bodyOf(body: WrittenBody): CommitBody {
  const { parties: _, mandates, ...head } = body
  return {
    ...head,
    events: eventsIn(body),
    mandates: mandates.map(([signer, signedAt, commands, signature]) => {
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

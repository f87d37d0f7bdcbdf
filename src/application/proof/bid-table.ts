import type { AuctionEvent } from '../../domain/events.js'
import type { Minor } from '../../domain/money.js'
import { type Party, sameParty } from '../../domain/party.js'
import type { RecordedBid } from '../../domain/recheck.js'
import { IdIndex } from './id-index.js'
import { NumberColumn } from './number-column.js'

/** A bid as its log records it. */
export interface LoggedBid extends RecordedBid {
  readonly seq: number
  readonly bidder: Party
}

const KINDS = ['plain', 'max', 'max-change', 'buy-now'] as const
/** How each kind of bid stands in a log. */
export const EVENT_OF_KIND = {
  plain: 'BidPlaced',
  max: 'BidPlaced',
  'max-change': 'MaxBidChanged',
  'buy-now': 'LotBoughtNow',
} as const

const LEADS = 4
const RESERVE_MET = 8
/** Stands in for an amount that has not been opened. */
const SECRET = -1

/** The bids of one auction, a million of them if need be: columns of numbers beside an index of bid ids. */
export class BidTable {
  readonly #ids: IdIndex
  readonly #seqs = new NumberColumn(Float64Array)
  readonly #amounts = new NumberColumn(Float64Array)
  readonly #prices = new NumberColumn(Float64Array)
  readonly #flags = new NumberColumn(Uint8Array)
  readonly #bidders = new NumberColumn(Int32Array)
  readonly #parties: Party[] = []
  /** Bidders by id, with their first name. */
  readonly #partyRows = new Map<string, number>()
  /** Other names of a bidder, which may change from bid to bid. */
  readonly #renamedRows = new Map<string, number>()
  /** By row: the commitment of the maximum. Removed when the commitment is opened. */
  readonly #commitments = new Map<number, string>()

  constructor(seed: number) {
    this.#ids = new IdIndex(seed)
  }

  get size(): number {
    return this.#seqs.length
  }

  /** How many maxima have not been opened. */
  get secrets(): number {
    return this.#commitments.size
  }

  /** False if the bid's id was used before. Other events are ignored. */
  add(seq: number, event: AuctionEvent): boolean {
    switch (event.type) {
      case 'BidPlaced':
        if (event.commitment !== null) {
          const flags = (event.leads ? LEADS : 0) | (event.reserveMet ? RESERVE_MET : 0)
          return this.#push(seq, event, SECRET, 1 | flags, event.commitment)
        }
        return this.#push(
          seq,
          event,
          event.amount ?? SECRET,
          (event.leads ? LEADS : 0) | (event.reserveMet ? RESERVE_MET : 0),
          null,
        )
      case 'MaxBidChanged':
        return this.#push(seq, event, SECRET, 2 | LEADS | (event.reserveMet ? RESERVE_MET : 0), event.commitment)
      case 'LotBoughtNow':
        return this.#push(seq, event, event.price, 3 | LEADS | RESERVE_MET, null)
      default:
        return true
    }
  }

  #push(
    seq: number,
    { bidId, bidder, price }: { bidId: string; bidder: Party; price: Minor },
    amount: number,
    flags: number,
    commitment: string | null,
  ): boolean {
    const row = this.#ids.add(bidId)
    if (row === -1) return false
    this.#seqs.push(seq)
    this.#amounts.push(amount)
    this.#prices.push(price)
    this.#flags.push(flags)
    this.#bidders.push(this.#party(bidder))
    if (commitment !== null) this.#commitments.set(row, commitment)
    return true
  }

  #party(party: Party): number {
    const first = this.#partyRows.get(party.id)
    if (first !== undefined && sameParty(this.#parties[first] as Party, party)) return first
    const [rows, key] =
      first === undefined
        ? [this.#partyRows, party.id]
        : [this.#renamedRows, `${party.id.length} ${party.id}${party.name}`]
    let row = rows.get(key)
    if (row === undefined) {
      row = this.#parties.push(party) - 1
      rows.set(key, row)
    }
    return row
  }

  /** The commitment of a bid that has not been opened yet. */
  commitmentOf(bidId: string): string | undefined {
    return this.#commitments.get(this.#ids.find(bidId))
  }

  open(bidId: string, amount: Minor): void {
    const row = this.#ids.find(bidId)
    if (!this.#commitments.delete(row)) throw new Error(`bid ${bidId} has nothing to open`)
    this.#amounts.set(row, amount)
  }

  find(bidId: string): LoggedBid | null {
    const row = this.#ids.find(bidId)
    return row === -1 ? null : this.#read(row, null)
  }

  /** The bids in order. The maxima of `winnerId` that were never opened count as higher than every price. */
  *bids(winnerId: string | null): Generator<LoggedBid, void, undefined> {
    for (let row = 0; row < this.size; row++) yield this.#read(row, winnerId)
  }

  #read(row: number, winnerId: string | null): LoggedBid {
    const flags = this.#flags.at(row)
    const amount = this.#amounts.at(row)
    const bidder = this.#parties[this.#bidders.at(row)] as Party
    const hidden = bidder.id === winnerId ? Number.POSITIVE_INFINITY : null
    return {
      seq: this.#seqs.at(row),
      bidder,
      kind: KINDS[flags & 3] as LoggedBid['kind'],
      amount: amount === SECRET ? hidden : amount,
      price: this.#prices.at(row),
      leads: (flags & LEADS) !== 0,
      reserveMet: (flags & RESERVE_MET) !== 0,
    }
  }
}

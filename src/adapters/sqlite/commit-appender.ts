import type { Database, Statement } from 'better-sqlite3'
import { BID_KINDS, bidOf } from '../../application/log/read-model.js'
import { eventsOf } from '../../application/log/written-body.js'
import type { SealedMaximum } from '../../domain/commands.js'
import type { AuctionEvent, AuctionOpened, RevealedMaximum } from '../../domain/events.js'
import type { Party } from '../../domain/party.js'
import { PartyRows } from './party-rows.js'
import { RowInserter, type Value } from './row-inserter.js'
import { rowSum } from './row-sums.js'
import { bidRowId, MAX_EVENTS_PER_COMMIT } from './sqlite-schema.js'
import { indexedTitle } from './title-search.js'
import type { AppendOperation, KeepHandover, OutcomeRow, SecretRow, WriteResult } from './write-operations.js'

interface HeadRow {
  readonly ref: number
  readonly last_seq: number
  readonly last_hash: string
  readonly status: string
  readonly bid_count: number
  readonly due_at: number | null
  readonly home_node_id: string
}

/** Of the auctions of one status, or of what one author has written. */
interface Tally {
  readonly kind: 'status' | 'author'
  readonly name: string
  auctions: number
  bids: number
  bytes: number
}

const BID_COLUMNS = [
  'id',
  'auction',
  'seq',
  'at',
  'bid_id',
  'bidder',
  'kind',
  'amount',
  'price',
  'leads',
  'reserve_met',
]

/** Writes a commit with all that becomes true with it, inside the caller's transaction. */
export class CommitAppender {
  readonly #statements: ReturnType<typeof prepare>
  readonly #parties: PartyRows
  /** Changes since the transaction began; written once, at its end. */
  readonly #tallies = new Map<string, Tally>()

  constructor(db: Database) {
    this.#statements = prepare(db)
    this.#parties = new PartyRows(db)
  }

  /** A conflict is found before anything is written; every other refusal is thrown. */
  append(operation: AppendOperation): WriteResult {
    const { auctionId, firstSeq, prevHash } = operation
    const head = this.#statements.head.get(auctionId)
    if ((head?.last_seq ?? 0) !== firstSeq - 1 || (head?.last_hash ?? null) !== prevHash) {
      const found = head === undefined ? null : { seq: head.last_seq, hash: head.last_hash }
      return { ok: false, code: 'SEQ_CONFLICT', head: found }
    }
    const ref = head?.ref ?? this.#open(operation)
    const { signer, signature, hash, body, lastSeq } = operation
    const events = eventsOf(body)
    for (const event of events) if (event.type === 'AuctionOpened') this.#opened(event, ref)
    if (events.length > MAX_EVENTS_PER_COMMIT) throw new RangeError(`${events.length} events in one commit`)
    const commit = this.#statements.insertCommit.run(ref, firstSeq, lastSeq, hash, signer, signature, body)
    const position = Number(commit.lastInsertRowid)
    this.#insertBids(ref, position, firstSeq, events)
    this.#insertOutcomes(position, operation, events)
    if (operation.secret !== null) this.#keepSecrets(ref, operation.secret)
    for (const event of events) if (event.type === 'MaximaRevealed') this.#reveal(ref, event.maxima)
    if (head !== undefined) this.#update(head, operation)
    this.#count(head, operation)
    return { ok: true, position }
  }

  /** To be called at the start of a transaction: forgets what a failed one has left. */
  reset(): void {
    this.#tallies.clear()
    this.#parties.forget()
  }

  /** To be called where a part of a transaction was taken back. */
  forget(): void {
    this.#parties.forget()
  }

  /** To be called at the end of a transaction. */
  writeTallies(): void {
    for (const { kind, name, auctions, bids, bytes } of this.#tallies.values()) {
      if (auctions === 0 && bids === 0 && bytes === 0) continue
      this.#statements.addToTally.run(kind, name, auctions, bids, bytes)
    }
  }

  #open(operation: AppendOperation): number {
    const { auctionId, auction, lastSeq, hash, terms } = operation
    const { homeNodeId, status, title, openedAt, dueAt, bidCount, state } = auction
    const { lastInsertRowid } = this.#statements.insertAuction.run(
      auctionId,
      homeNodeId,
      status,
      title,
      openedAt,
      dueAt,
      bidCount,
      lastSeq,
      hash,
      state,
      sumOf(operation),
    )
    this.#statements.insertTerms.run(lastInsertRowid as number, terms, rowSum(auctionId, terms))
    this.#statements.insertTitle.run(lastInsertRowid as number, indexedTitle(title))
    return lastInsertRowid as number
  }

  #opened({ seller, terms }: AuctionOpened, ref: number): void {
    this.#parties.involve(seller, ref, 'seller')
    for (const { hash } of terms.pictures) this.#statements.insertPicture.run(hash, ref)
  }

  /** The columns that indexes cover are touched only where they change: that spares four index updates a commit. */
  #update({ ref, status, due_at, home_node_id }: HeadRow, operation: AppendOperation): void {
    const { auction, lastSeq, hash } = operation
    const { bidCount, state, homeNodeId, dueAt } = auction
    this.#statements.updateState.run(bidCount, lastSeq, hash, state, sumOf(operation), ref)
    if (auction.status === 'closed') {
      const winnerId = auction.secretKept?.winnerId ?? null
      const price = auction.secretKept?.price ?? null
      this.#statements.markUnrevealed.run({ ref, winnerId, price })
    }
    if (status !== auction.status || due_at !== dueAt || home_node_id !== homeNodeId) {
      this.#statements.updatePlace.run(auction.status, dueAt, homeNodeId, ref)
    }
  }

  #insertBids(ref: number, position: number, firstSeq: number, events: readonly AuctionEvent[]): void {
    const rows: Value[] = []
    /** Events of one commit share their parties. */
    const bidders = new Map<Party, number>()
    events.forEach((event, i) => {
      const bid = bidOf(event)
      if (bid === null) return
      const { at, bidId, bidder, kind, amount, price, leads, reserveMet } = bid
      let party = bidders.get(bidder)
      if (party === undefined) {
        party = this.#parties.refOf(bidder)
        bidders.set(bidder, party)
      }
      rows.push(bidRowId(position, i), ref, firstSeq + i, at, bidId, party, BID_KINDS.indexOf(kind))
      rows.push(amount, price, leads ? 1 : 0, reserveMet ? 1 : 0)
    })
    this.#statements.bids.insert(rows)
    for (const bidder of bidders.keys()) this.#parties.involve(bidder, ref)
  }

  #insertOutcomes(position: number, operation: AppendOperation, events: readonly AuctionEvent[]): void {
    const rows: Value[] = []
    const { fingerprints, outcomes } = operation
    if (fingerprints !== null) {
      for (const [i, fingerprint] of (JSON.parse(fingerprints) as (string | null)[]).entries()) {
        const event = events[i]
        if (fingerprint !== null && event !== undefined && 'bidId' in event) {
          rows.push(event.bidId, bidRowId(position, i), fingerprint, null, null)
        }
      }
    }
    if (outcomes !== null) {
      for (const [commandId, fingerprint, outcome] of JSON.parse(outcomes) as OutcomeRow[]) {
        rows.push(commandId, null, fingerprint, outcome, rowSum(commandId, fingerprint, outcome))
      }
    }
    this.#statements.outcomes.insert(rows)
  }

  #keepSecrets(ref: number, { reserveAmount, reserveSalt, leaderMax, sealed }: SecretRow): void {
    this.#statements.saveSecrets.run(ref, reserveAmount, reserveSalt, leaderMax)
    if (sealed === null) return
    const rows = (JSON.parse(sealed) as SealedMaximum[]).flatMap<Value>((maximum) => {
      const { bidId, bidderId, amount, salt } = maximum
      return [ref, bidId, bidderId, amount, salt]
    })
    this.#statements.sealed.insert(rows)
  }

  /** What comes with an auction that moves here; its log has to be here already. */
  keepHandover({ auctionId, sealed, secret }: KeepHandover): void {
    const ref = this.#statements.head.get(auctionId)?.ref
    if (ref === undefined) throw new RangeError(`${auctionId} is not stored here`)
    if (secret !== null) this.#keepSecrets(ref, secret)
    if (sealed === null) return
    for (const { bidId, bidderId, amount, salt } of JSON.parse(sealed) as SealedMaximum[])
      this.#statements.replaceSealed.run(ref, bidId, bidderId, amount, salt)
  }

  #reveal(ref: number, maxima: readonly RevealedMaximum[]): void {
    for (const { bidId, amount } of maxima) {
      this.#statements.revealBid.run(amount, ref, bidId)
      this.#statements.dropSealed.run(ref, bidId)
    }
  }

  #count(head: HeadRow | undefined, { auction, signer, body }: AppendOperation): void {
    if (head !== undefined)
      this.#add({ kind: 'status', name: head.status, auctions: -1, bids: -head.bid_count, bytes: 0 })
    this.#add({ kind: 'status', name: auction.status, auctions: 1, bids: auction.bidCount, bytes: 0 })
    const opened = head === undefined ? 1 : 0
    this.#add({ kind: 'author', name: signer, auctions: opened, bids: 0, bytes: Buffer.byteLength(body) })
  }

  #add(change: Tally): void {
    const key = `${change.kind} ${change.name}`
    const tally = this.#tallies.get(key)
    if (tally === undefined) {
      this.#tallies.set(key, change)
      return
    }
    tally.auctions += change.auctions
    tally.bids += change.bids
    tally.bytes += change.bytes
  }
}

function sumOf({ auctionId, auction, lastSeq, hash }: AppendOperation): number {
  const { homeNodeId, status, dueAt, state } = auction
  return rowSum(auctionId, homeNodeId, status, dueAt, lastSeq, hash, state)
}

function prepare(db: Database) {
  const statement = (sql: string): Statement<Value[]> => db.prepare<Value[]>(sql)
  return {
    head: db.prepare<[string], HeadRow>(
      'SELECT ref, last_seq, last_hash, status, bid_count, due_at, home_node_id FROM auctions WHERE auction_id = ?',
    ),
    insertAuction: statement(
      `INSERT INTO auctions (auction_id, home_node_id, status, title, opened_at, due_at, bid_count, last_seq,
         last_hash, state, sum, unrevealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`,
    ),
    insertTitle: statement('INSERT INTO auction_titles (rowid, title) VALUES (?, ?)'),
    insertTerms: statement('INSERT INTO auction_terms (auction, terms, sum) VALUES (?, ?, ?)'),
    insertPicture: statement('INSERT INTO auction_pictures (hash, auction) VALUES (?, ?)'),
    updateState: statement(
      'UPDATE auctions SET bid_count = ?, last_seq = ?, last_hash = ?, state = ?, sum = ? WHERE ref = ?',
    ),
    updatePlace: statement('UPDATE auctions SET status = ?, due_at = ?, home_node_id = ? WHERE ref = ?'),
    markUnrevealed: db.prepare<{ ref: number; winnerId: string | null; price: number | null }>(
      `UPDATE auctions SET unrevealed = EXISTS (
         SELECT 1 FROM sealed_maxima WHERE auction = @ref
           AND (@winnerId IS NULL OR bidder_id <> @winnerId OR amount <= @price))
       WHERE ref = @ref`,
    ),
    insertCommit: statement(
      `INSERT INTO commits (auction, first_seq, last_seq, hash, signer, signature, body)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
    ),
    revealBid: statement('UPDATE bids SET amount = ? WHERE auction = ? AND bid_id = ? AND amount IS NULL'),
    dropSealed: statement('DELETE FROM sealed_maxima WHERE auction = ? AND bid_id = ?'),
    saveSecrets: statement(
      `INSERT INTO auction_secrets (auction, reserve_amount, reserve_salt, leader_max) VALUES (?, ?, ?, ?)
       ON CONFLICT (auction) DO UPDATE SET reserve_amount = excluded.reserve_amount,
         reserve_salt = excluded.reserve_salt, leader_max = excluded.leader_max`,
    ),
    replaceSealed: statement(
      'INSERT OR REPLACE INTO sealed_maxima (auction, bid_id, bidder_id, amount, salt) VALUES (?, ?, ?, ?, ?)',
    ),
    addToTally: statement(
      `INSERT INTO tallies (kind, name, auctions, bids, bytes) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (kind, name) DO UPDATE SET auctions = auctions + excluded.auctions,
         bids = bids + excluded.bids, bytes = bytes + excluded.bytes`,
    ),
    bids: new RowInserter(db, 'bids', BID_COLUMNS),
    outcomes: new RowInserter(db, 'outcomes', ['command_id', 'bid', 'fingerprint', 'outcome', 'sum']),
    sealed: new RowInserter(db, 'sealed_maxima', ['auction', 'bid_id', 'bidder_id', 'amount', 'salt']),
  }
}

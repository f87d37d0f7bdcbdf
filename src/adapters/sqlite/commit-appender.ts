import type { Database, Statement } from 'better-sqlite3'
import type { SealedMaximum } from '../../domain/commands.js'
import type { RevealedMaximum } from '../../domain/events.js'
import { storedSignature, storedText } from './commit-rows.js'
import { RowInserter, type Value } from './row-inserter.js'
import { rowSum } from './row-sums.js'
import type { SignatureSlots } from './signature-slots.js'
import { eventPlace, MAX_EVENTS_PER_COMMIT } from './sqlite-schema.js'
import { indexedTitle } from './title-search.js'
import type {
  AppendOperation,
  BidOutcomeRow,
  KeepHandover,
  OpeningRow,
  OutcomeRow,
  SecretRow,
  WriteResult,
} from './write-operations.js'

interface HeadRow {
  readonly ref: number
  readonly lastSeq: number
  readonly hash: string
  readonly status: string
  readonly bidCount: number
  readonly dueAt: number | null
  readonly homeNodeId: string
}

/** Of the auctions of one status, or of what one author has written. */
interface Tally {
  readonly kind: 'status' | 'author'
  readonly name: string
  auctions: number
  bids: number
  bytes: number
}

/** Whose refs are remembered. */
const MAX_AUTHORS = 1_000
/** Auctions whose rows are remembered as they are now. */
const MAX_HEADS = 10_000

/** Writes a commit with all that becomes true with it, inside the caller's transaction. */
export class CommitAppender {
  readonly #statements: ReturnType<typeof prepare>
  /** Changes since the transaction began; written once, at its end. */
  readonly #tallies = new Map<string, Tally>()
  /** Their refs, by public key. */
  readonly #authors = new Map<string, number>()
  /** As this connection, which alone writes, has left them. */
  readonly #heads = new Map<string, HeadRow>()

  readonly #signatures: SignatureSlots

  constructor(db: Database, signatures: SignatureSlots) {
    this.#statements = prepare(db)
    this.#signatures = signatures
  }

  /** A conflict is found before anything is written; every other refusal is thrown. */
  append(operation: AppendOperation): WriteResult {
    const { auctionId, firstSeq, prevHash } = operation
    const head = this.#headOf(auctionId)
    if ((head?.lastSeq ?? 0) !== firstSeq - 1 || (head?.hash ?? null) !== prevHash) {
      const found = head === undefined ? null : { seq: head.lastSeq, hash: head.hash }
      return { ok: false, code: 'SEQ_CONFLICT', head: found }
    }
    const ref = head?.ref ?? this.#open(operation)
    const { lastSeq, bidders, revealed, secret } = operation
    const events = lastSeq - firstSeq + 1
    if (events > MAX_EVENTS_PER_COMMIT) throw new RangeError(`${events} events in one commit`)
    if (bidders !== null)
      for (const id of JSON.parse(bidders) as string[]) this.#statements.involve.run(id, 'bidder', ref)
    if (secret !== null) this.#keepSecrets(ref, secret)
    if (revealed !== null) this.#reveal(ref, JSON.parse(revealed) as RevealedMaximum[])
    if (head !== undefined) this.#update(head, operation)
    // Late, since it has to wait for the signature.
    const position = this.#insertCommit(ref, operation)
    this.#insertOutcomes(position, operation)
    this.#count(head, operation)
    this.#remember(ref, operation)
    return { ok: true, position }
  }

  #headOf(auctionId: string): HeadRow | undefined {
    return this.#heads.get(auctionId) ?? this.#statements.head.get(auctionId)
  }

  #remember(ref: number, { auctionId, auction, lastSeq, hash }: AppendOperation): void {
    const { status, bidCount, dueAt, homeNodeId } = auction
    if (this.#heads.size >= MAX_HEADS) this.#heads.clear()
    this.#heads.set(auctionId, { ref, lastSeq, hash, status, bidCount, dueAt, homeNodeId })
  }

  /** To be called at the start of a transaction: forgets what a failed one has left. */
  reset(): void {
    this.#tallies.clear()
  }

  /** To be called where anything has been taken back. */
  forget(): void {
    this.#authors.clear()
    this.#heads.clear()
  }

  /** To be called at the end of a transaction. */
  writeTallies(): void {
    for (const { kind, name, auctions, bids, bytes } of this.#tallies.values()) {
      if (auctions === 0 && bids === 0 && bytes === 0) continue
      this.#statements.addToTally.run(kind, name, auctions, bids, bytes)
    }
  }

  #insertCommit(ref: number, operation: AppendOperation): number {
    const { firstSeq, lastSeq, hash, prevHash, signer, signatureSlot, body } = operation
    const { lastInsertRowid } = this.#statements.insertCommit.run(
      ref,
      firstSeq,
      lastSeq,
      Buffer.from(hash, 'hex'),
      this.#authorOf(signer),
      storedSignature(this.#signatures.take(signatureSlot)),
      storedText(body, operation, prevHash),
    )
    return lastInsertRowid as number
  }

  #authorOf(publicKey: string): number {
    const known = this.#authors.get(publicKey)
    if (known !== undefined) return known
    this.#statements.addAuthor.run(publicKey)
    const ref = this.#statements.findAuthor.get(publicKey)?.ref as number
    if (this.#authors.size >= MAX_AUTHORS) this.#authors.clear()
    this.#authors.set(publicKey, ref)
    return ref
  }

  #open(operation: AppendOperation): number {
    const { auctionId, auction, lastSeq, hash, opening } = operation
    if (opening === null) throw new RangeError(`${auctionId} begins without an opening`)
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
    const ref = lastInsertRowid as number
    this.#statements.insertTerms.run(ref, opening.terms, rowSum(auctionId, opening.terms))
    this.#statements.insertTitle.run(ref, indexedTitle(title))
    this.#opened(opening, ref)
    return ref
  }

  #opened({ sellerId, pictures }: OpeningRow, ref: number): void {
    this.#statements.involve.run(sellerId, 'seller', ref)
    for (const hash of pictures) this.#statements.insertPicture.run(hash, ref)
  }

  /** The columns that indexes cover are touched only where they change: that spares four index updates a commit. */
  #update(head: HeadRow, operation: AppendOperation): void {
    const { ref } = head
    const { auction, lastSeq, hash } = operation
    const { bidCount, state, homeNodeId, dueAt } = auction
    this.#statements.updateState.run(bidCount, lastSeq, hash, state, sumOf(operation), ref)
    if (auction.status === 'closed') {
      const winnerId = auction.secretKept?.winnerId ?? null
      const price = auction.secretKept?.price ?? null
      this.#statements.markUnrevealed.run({ ref, winnerId, price })
    }
    if (head.status !== auction.status || head.dueAt !== dueAt || head.homeNodeId !== homeNodeId) {
      this.#statements.updatePlace.run(auction.status, dueAt, homeNodeId, ref)
    }
  }

  #insertOutcomes(position: number, { bidOutcomes, outcomes }: AppendOperation): void {
    const rows: Value[] = []
    if (bidOutcomes !== null)
      for (const [commandId, place, fingerprint = ''] of JSON.parse(bidOutcomes) as BidOutcomeRow[])
        rows.push(commandId, eventPlace(position, place), fingerprint, null, null)
    if (outcomes !== null)
      for (const [commandId, fingerprint, outcome] of JSON.parse(outcomes) as OutcomeRow[])
        rows.push(commandId, null, fingerprint, outcome, rowSum(commandId, fingerprint, outcome))
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
    const ref = this.#headOf(auctionId)?.ref
    if (ref === undefined) throw new RangeError(`${auctionId} is not stored here`)
    if (secret !== null) this.#keepSecrets(ref, secret)
    if (sealed === null) return
    for (const { bidId, bidderId, amount, salt } of JSON.parse(sealed) as SealedMaximum[])
      this.#statements.replaceSealed.run(ref, bidId, bidderId, amount, salt)
  }

  #reveal(ref: number, maxima: readonly RevealedMaximum[]): void {
    for (const { bidId, amount } of maxima) {
      this.#statements.keepRevealed.run(ref, bidId, amount)
      this.#statements.dropSealed.run(ref, bidId)
    }
  }

  #count(head: HeadRow | undefined, { auction, signer, body }: AppendOperation): void {
    if (head !== undefined)
      this.#add({ kind: 'status', name: head.status, auctions: -1, bids: -head.bidCount, bytes: 0 })
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
      `SELECT ref, last_seq AS lastSeq, last_hash AS hash, status, bid_count AS bidCount, due_at AS dueAt,
         home_node_id AS homeNodeId FROM auctions WHERE auction_id = ?`,
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
    addAuthor: statement('INSERT INTO authors (public_key) VALUES (?) ON CONFLICT (public_key) DO NOTHING'),
    findAuthor: db.prepare<[string], { ref: number }>('SELECT ref FROM authors WHERE public_key = ?'),
    // A peer's log may open one twice: the first counts.
    keepRevealed: statement(
      'INSERT INTO revealed_maxima (auction, bid_id, amount) VALUES (?, ?, ?) ON CONFLICT (auction, bid_id) DO NOTHING',
    ),
    involve: statement('INSERT OR IGNORE INTO involvements (party_id, role, auction) VALUES (?, ?, ?)'),
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
    outcomes: new RowInserter(db, 'outcomes', ['command_id', 'event', 'fingerprint', 'outcome', 'sum']),
    sealed: new RowInserter(db, 'sealed_maxima', ['auction', 'bid_id', 'bidder_id', 'amount', 'salt']),
  }
}

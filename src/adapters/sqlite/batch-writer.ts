import type { Database, Statement } from 'better-sqlite3'
import type { AutoBid } from '../../ports/store/auto-bid-repository.js'
import type { KnownPeer } from '../../ports/store/peer-repository.js'
import { CommitAppender } from './commit-appender.js'
import { storedSignature } from './commit-rows.js'
import type { Value } from './row-inserter.js'
import { rowSum } from './row-sums.js'
import type { SignatureSlots } from './signature-slots.js'
import { messageOf, sqliteCode } from './store-error.js'
import type {
  AppendOperation,
  BatchFailure,
  BidOutcomeRow,
  OutcomeRow,
  WriteOperation,
  WriteResult,
  WriterReply,
} from './write-operations.js'

/** Peers kept; the ones not seen for longest go. Identities cost nothing, so somebody may make many. */
const MAX_KNOWN_PEERS = 10_000

/**
 * Carries out one batch of operations in one transaction: one disk sync for all of them. Only the operation that
 * breaks a rule is refused. Savepoints would let a single pass do that, but they slow large appends down by a
 * fifth; so the first pass has none, and only a batch with a refusal in it is rolled back and done again with them.
 */
export class BatchWriter {
  readonly #db: Database
  readonly #appender: CommitAppender
  readonly #statements: ReturnType<typeof prepare>

  constructor(db: Database, signatures: SignatureSlots) {
    this.#db = db
    this.#appender = new CommitAppender(db, signatures)
    this.#statements = prepare(db)
  }

  write(operations: readonly WriteOperation[]): WriterReply {
    const startedAt = performance.now()
    try {
      const results = this.#writeAll(operations)
      return { type: 'written', results, ms: performance.now() - startedAt }
    } catch (error) {
      return { type: 'failed', failure: failureOf(error), message: messageOf(error) }
    }
  }

  #writeAll(operations: readonly WriteOperation[]): WriteResult[] {
    try {
      return this.#transact(() => operations.map((operation) => this.#carryOut(operation)))
    } catch (error) {
      if (!isRefusal(error)) throw error
      return this.#transact(() => operations.map((operation) => this.#carryOutAlone(operation)))
    }
  }

  #transact(work: () => WriteResult[]): WriteResult[] {
    this.#statements.begin.run()
    try {
      this.#appender.reset()
      const results = work()
      this.#appender.writeTallies()
      this.#statements.commit.run()
      return results
    } catch (error) {
      // After SQLITE_FULL and the like SQLite may have rolled back by itself.
      if (this.#db.inTransaction) this.#statements.rollback.run()
      this.#appender.forget()
      throw error
    }
  }

  #carryOutAlone(operation: WriteOperation): WriteResult {
    this.#statements.savepoint.run()
    try {
      const result = this.#carryOut(operation)
      this.#statements.release.run()
      return result
    } catch (error) {
      if (!isRefusal(error)) throw error
      this.#statements.rollbackTo.run()
      this.#statements.release.run()
      this.#appender.forget()
      return this.#refusal(operation, error)
    }
  }

  #refusal(operation: WriteOperation, error: unknown): WriteResult {
    const commandId =
      operation.kind === 'append' && messageOf(error).includes('outcomes.command_id')
        ? this.#duplicateOf(operation)
        : undefined
    if (commandId !== undefined) return { ok: false, code: 'DUPLICATE_COMMAND', commandId }
    return { ok: false, code: 'STORE_REFUSED', message: messageOf(error) }
  }

  #duplicateOf(operation: AppendOperation): string | undefined {
    const seen = new Set<string>()
    return commandIdsOf(operation).find((id) => {
      const known = seen.has(id) || this.#statements.findOutcome.get(id) !== undefined
      seen.add(id)
      return known
    })
  }

  #carryOut(operation: WriteOperation): WriteResult {
    switch (operation.kind) {
      case 'append':
        return this.#appender.append(operation)
      case 'record-outcomes':
        this.#recordOutcomes(JSON.parse(operation.outcomes) as OutcomeRow[])
        return DONE
      case 'keep-handover':
        for (const row of JSON.parse(operation.outcomes) as OutcomeRow[])
          this.#statements.keepAcceptance.run(...row, rowSum(...row))
        this.#appender.keepHandover(operation)
        return DONE
      case 'save-auto-bid':
        this.#saveAutoBid(operation.autoBid)
        return DONE
      case 'save-peer':
        this.#savePeer(operation.peer)
        return DONE
      case 'add-participation':
        this.#statements.addParticipation.run(operation.auctionId)
        return DONE
      case 'add-receipts':
        for (const { signed, auctionIds, parties } of operation.rows) {
          const row = Number(this.#statements.addReceipts.run(signed).lastInsertRowid)
          for (const id of auctionIds) this.#statements.addReceiptAuction.run(id, row)
          for (const [auctionId, partyId] of parties) this.#statements.addReceiptParty.run(auctionId, partyId, row)
        }
        return DONE
      case 'save-equivocation':
        this.#saveEquivocation(operation)
        return DONE
      case 'replace-signature': {
        const { signature, auctionId, firstSeq, hash } = operation
        const stored = storedSignature(signature)
        const { changes } = this.#statements.replaceSignature.run(stored, auctionId, firstSeq, Buffer.from(hash, 'hex'))
        return { ok: true, position: changes }
      }
      case 'save-breach': {
        const { auctionId, seq, rule } = operation.breach
        this.#statements.saveBreach.run(auctionId, seq, rule)
        return DONE
      }
      default: {
        const unknown: never = operation
        throw new Error(`unknown operation ${JSON.stringify(unknown)}`)
      }
    }
  }

  #recordOutcomes(rows: readonly OutcomeRow[]): void {
    for (const [commandId, fingerprint, outcome] of rows) {
      this.#statements.keepFirstOutcome.run(
        ...[commandId, fingerprint, outcome, rowSum(commandId, fingerprint, outcome)],
      )
    }
  }

  #saveAutoBid({ auctionId, limit, state, refusal, pending, updatedAt }: AutoBid): void {
    const bidId = pending?.bidId ?? null
    const amount = pending?.amount ?? null
    const row = [auctionId, limit, state, refusal, bidId, amount, updatedAt] as const
    this.#statements.saveAutoBid.run(...row, rowSum(...row))
  }

  #saveEquivocation({
    auctionId,
    owners: { author, sender, bytes },
    proof,
  }: Extract<WriteOperation, { kind: 'save-equivocation' }>): void {
    this.#statements.saveEquivocation.run(auctionId, author, sender, bytes, proof)
  }

  #savePeer({ nodeId, name, publicKey, address, dhtAddress, lastSeenAt }: KnownPeer): void {
    const isNew = this.#statements.findPeer.get(nodeId) === undefined
    this.#statements.savePeer.run(nodeId, name, publicKey, address, dhtAddress, lastSeenAt)
    if (isNew) this.#statements.forgetPeers.run(MAX_KNOWN_PEERS)
  }
}

const DONE: WriteResult = { ok: true, position: 0 }

/** The fault of one operation, not of the disk. */
function isRefusal(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === '' || code.startsWith('SQLITE_CONSTRAINT') || code === 'SQLITE_TOOBIG'
}

function failureOf(error: unknown): BatchFailure {
  const code = sqliteCode(error)
  if (code === 'SQLITE_FULL') return 'DISK_FULL'
  return code.startsWith('SQLITE_BUSY') ? 'BUSY' : 'LOG_IO_ERROR'
}

function commandIdsOf({ bidOutcomes, outcomes }: AppendOperation): string[] {
  const rows: (BidOutcomeRow | OutcomeRow)[] = [...JSON.parse(bidOutcomes ?? '[]'), ...JSON.parse(outcomes ?? '[]')]
  return rows.map(([commandId]) => commandId)
}

function prepare(db: Database) {
  const statement = (sql: string): Statement<Value[]> => db.prepare<Value[]>(sql)
  return {
    begin: statement('BEGIN IMMEDIATE'),
    commit: statement('COMMIT'),
    rollback: statement('ROLLBACK'),
    savepoint: statement('SAVEPOINT operation'),
    release: statement('RELEASE operation'),
    rollbackTo: statement('ROLLBACK TO operation'),
    findOutcome: statement('SELECT 1 FROM outcomes WHERE command_id = ?'),
    // The port's contract: a command that has an outcome keeps it.
    keepFirstOutcome: statement(
      `INSERT INTO outcomes (command_id, fingerprint, outcome, sum) VALUES (?, ?, ?, ?)
       ON CONFLICT (command_id) DO NOTHING`,
    ),
    keepAcceptance: statement(
      `INSERT INTO outcomes (command_id, fingerprint, outcome, sum) VALUES (?, ?, ?, ?)
       ON CONFLICT (command_id) DO UPDATE SET fingerprint = excluded.fingerprint, outcome = excluded.outcome,
         sum = excluded.sum
       WHERE json_extract(outcomes.outcome, '$.status') = 'rejected'
         AND json_extract(excluded.outcome, '$.status') = 'accepted'`,
    ),
    saveAutoBid: statement(
      `INSERT INTO auto_bids (auction_id, limit_amount, state, refusal, pending_bid_id, pending_amount, updated_at,
         sum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (auction_id) DO UPDATE SET limit_amount = excluded.limit_amount, state = excluded.state,
         refusal = excluded.refusal, pending_bid_id = excluded.pending_bid_id, pending_amount = excluded.pending_amount,
         updated_at = excluded.updated_at, sum = excluded.sum`,
    ),
    addParticipation: statement(
      'INSERT INTO participations (auction_id) VALUES (?) ON CONFLICT (auction_id) DO NOTHING',
    ),
    addReceipts: statement('INSERT INTO receipts (signed) VALUES (?)'),
    addReceiptParty: statement('INSERT INTO receipt_parties (auction_id, party_id, receipts) VALUES (?, ?, ?)'),
    addReceiptAuction: statement('INSERT INTO receipt_auctions (auction_id, receipts) VALUES (?, ?)'),
    // The first proof is enough.
    replaceSignature: db.prepare<[Buffer | string, string, number, Buffer]>(
      `UPDATE commits SET signature = ?
       WHERE auction = (SELECT ref FROM auctions WHERE auction_id = ?) AND first_seq = ? AND hash = ?`,
    ),
    saveBreach: db.prepare<[string, number, string]>(
      'INSERT INTO breaches (auction_id, seq, rule) VALUES (?, ?, ?) ON CONFLICT (auction_id) DO NOTHING',
    ),
    saveEquivocation: statement(
      `INSERT INTO equivocations (auction_id, author, sender, bytes, proof) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (auction_id) DO NOTHING`,
    ),
    findPeer: statement('SELECT 1 FROM peers WHERE node_id = ?'),
    savePeer: statement(
      `INSERT INTO peers (node_id, name, public_key, address, dht_address, last_seen_at)
       VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT (node_id) DO UPDATE SET name = excluded.name, public_key = excluded.public_key,
         address = excluded.address, dht_address = excluded.dht_address, last_seen_at = excluded.last_seen_at`,
    ),
    forgetPeers: statement(
      `DELETE FROM peers WHERE node_id IN
         (SELECT node_id FROM peers ORDER BY last_seen_at DESC LIMIT -1 OFFSET ?)`,
    ),
  }
}

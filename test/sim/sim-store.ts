import type { AutoBid, AutoBidRepository } from '../../src/ports/store/auto-bid-repository.js'
import type { Breach, BreachRepository } from '../../src/ports/store/breach-repository.js'
import type {
  EquivocationProof,
  EquivocationRepository,
  ProofOwners,
} from '../../src/ports/store/equivocation-repository.js'
import { type Append, type EventLog, LogBrokenError } from '../../src/ports/store/event-log.js'
import type { HandoverRepository } from '../../src/ports/store/handover-repository.js'
import type { OutcomeRepository } from '../../src/ports/store/outcome-repository.js'
import type { ParticipationRepository } from '../../src/ports/store/participation-repository.js'
import type { KnownPeer, PeerRepository } from '../../src/ports/store/peer-repository.js'
import type { ReceiptRepository, SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import type { Store } from '../../src/ports/store/store.js'
import { MemoryAuctionRepository } from '../support/memory/memory-auction-repository.js'
import { MemoryEventLog } from '../support/memory/memory-event-log.js'
import { handoverPage, keepParcel } from '../support/memory/memory-handover-repository.js'
import { MemorySecretRepository } from '../support/memory/memory-secret-repository.js'
import { MemoryTables } from '../support/memory/memory-tables.js'
import type { DiskRecord, SimDisk } from './sim-disk.js'
import type { SimProcess } from './sim-process.js'

export interface SimStoreOptions {
  /** Other tables: broken ones. */
  readonly tables?: () => MemoryTables
  /** An alarm over a home that does not keep to its receipts. */
  readonly onBreach: (breach: Breach) => void
  /** Each commit as it becomes visible. */
  readonly onStored: (entry: Append) => void
}

interface Write {
  readonly record: DiskRecord
  readonly done: (position: number) => void
  readonly failed: (error: unknown) => void
}

/** A store over a simulated disk: one writer, group commit, and nothing visible before it has been synced. */
export class SimStore implements Store {
  readonly tables: MemoryTables
  readonly broken: Promise<LogBrokenError>
  readonly autoBidTable = new Map<string, AutoBid>()
  readonly eventLog: EventLog
  readonly outcomes: OutcomeRepository
  readonly auctions: MemoryAuctionRepository
  readonly secrets: MemorySecretRepository
  readonly handovers: HandoverRepository
  readonly autoBids: AutoBidRepository
  readonly participations: ParticipationRepository
  readonly peers: PeerRepository
  readonly receipts: ReceiptRepository
  readonly equivocations: EquivocationRepository
  readonly breaches: BreachRepository
  readonly #receipts: SignedReceipts[] = []
  readonly #equivocations = new Map<string, { proof: EquivocationProof; owners: ProofOwners }>()
  readonly #process: SimProcess
  readonly #disk: SimDisk
  readonly #onStored: (entry: Append) => void
  readonly #participations = new Set<string>()
  readonly #peers = new Map<string, KnownPeer>()
  #queue: Write[] = []
  #writing = false
  #broken: LogBrokenError | null = null
  #reportBroken: (error: LogBrokenError) => void = () => {}

  constructor(process: SimProcess, disk: SimDisk, options: SimStoreOptions) {
    this.#process = process
    this.broken = new Promise((resolve) => {
      this.#reportBroken = resolve
    })
    this.#disk = disk
    this.#onStored = options.onStored
    this.tables = options.tables?.() ?? new MemoryTables()
    const { tables } = this
    this.auctions = new MemoryAuctionRepository({ tables })
    this.secrets = new MemorySecretRepository({ tables })
    this.eventLog = this.#makeEventLog()
    this.handovers = {
      page: async (auctionId, after, limit) => handoverPage(tables, auctionId, after, limit),
      keep: (auctionId, parcel) => this.#write({ kind: 'handover', auctionId, parcel }).then(() => {}),
    }
    this.outcomes = {
      record: (outcomes) => this.#write({ kind: 'outcomes', outcomes }).then(() => {}),
      find: async (ids) => new Map(ids.flatMap((id) => entryOf(tables.outcomes, id))),
    }
    this.autoBids = {
      save: (autoBid) => this.#write({ kind: 'auto-bid', autoBid }).then(() => {}),
      find: async (auctionId) => this.autoBidTable.get(auctionId) ?? null,
      list: async () => [...this.autoBidTable.values()],
    }
    this.participations = {
      add: (auctionId) => this.#write({ kind: 'participation', auctionId }).then(() => {}),
      among: async (ids) => new Set(ids.filter((id) => this.#participations.has(id))),
    }
    this.receipts = {
      add: (signed) => this.#write({ kind: 'receipts', signed }).then(() => {}),
      list: async () => ({ signed: this.#receipts, next: null }),
      auctions: async () => [
        ...new Set(this.#receipts.flatMap(({ receipts }) => receipts.map(({ command }) => command.auctionId))),
      ],
    }
    this.equivocations = {
      save: async (proof, owners) => {
        const isNew = !this.#equivocations.has(proof.auctionId)
        if (isNew) await this.#write({ kind: 'equivocation', proof, owners })
        return isNew
      },
      find: async (auctionId) => this.#equivocations.get(auctionId)?.proof ?? null,
      newest: async (limit) => [...this.#equivocations.keys()].slice(-limit),
      owners: async () => [...this.#equivocations.values()].map(({ owners }) => owners),
      among: async (ids) => new Set(ids.filter((id) => this.#equivocations.has(id))),
    }
    this.breaches = {
      save: async (breach) => {
        options.onBreach(breach)
        return true
      },
      find: async () => null,
      among: async () => new Set(),
    }
    this.peers = {
      save: (peer) => this.#write({ kind: 'peer', peer }).then(() => {}),
      list: async (limit) => [...this.#peers.values()].sort((a, b) => b.lastSeenAt - a.lastSeenAt).slice(0, limit),
    }
    // Whatever was refused when it was written is refused again, for the same reason.
    for (const record of disk.open()) this.#attempt(record)
  }

  /** What is under way may still get through; nothing waits for it here. */
  async close(): Promise<void> {}

  #makeEventLog(): EventLog {
    const log = new MemoryEventLog({ tables: this.tables })
    return {
      append: (entry) => this.#write({ kind: 'append', entry }),
      replaceSignature: async (commit) => this.tables.replaceSignature(commit),
      read: (auctionId, fromSeq, limit) => log.read(auctionId, fromSeq, limit),
      readAfter: (position, limit) => log.readAfter(position, limit),
      position: () => log.position(),
      heads: (afterId, limit) => log.heads(afterId, limit),
      usage: () => log.usage(),
      close: async () => {},
    }
  }

  #write(record: DiskRecord): Promise<number> {
    return new Promise((done, failed) => {
      this.#queue.push({ record, done, failed })
      this.#next()
    })
  }

  /** What waits is written together and synced once. */
  #next(): void {
    if (this.#writing || this.#queue.length === 0) return
    this.#writing = true
    const batch = this.#queue.splice(0)
    const { scheduler, name } = this.#process
    scheduler.after(this.#disk.writeMs(), `${name} writes ${batch.length}`, this.#process, () => {
      if (!this.#tried(batch, () => this.#disk.write(batch.map(({ record }) => record)))) return
      scheduler.after(this.#disk.syncMs(), `${name} syncs`, this.#process, () => {
        if (!this.#tried(batch, () => this.#disk.sync())) return
        for (const { record, done, failed } of batch) {
          const result = this.#attempt(record)
          if (result.ok) done(result.position)
          else failed(result.error)
        }
        this.#over()
      })
    })
  }

  #over(): void {
    this.#writing = false
    this.#next()
  }

  /** A failure is the whole batch's. */
  #tried(batch: readonly Write[], step: () => void): boolean {
    try {
      if (this.#broken !== null) throw this.#broken
      step()
      return true
    } catch (error) {
      if (error instanceof LogBrokenError) {
        this.#broken = error
        this.#reportBroken(error)
      }
      this.#process.scheduler.note(`${this.#process.name} disk: ${(error as Error).name}`)
      for (const { failed } of batch) failed(error)
      this.#over()
      return false
    }
  }

  #attempt(record: DiskRecord): { ok: true; position: number } | { ok: false; error: unknown } {
    try {
      return { ok: true, position: this.#apply(record) }
    } catch (error) {
      return { ok: false, error }
    }
  }

  #apply(record: DiskRecord): number {
    switch (record.kind) {
      case 'append': {
        const position = this.tables.apply(record.entry)
        this.#onStored(record.entry)
        return position
      }
      case 'outcomes': {
        const { outcomes } = this.tables
        for (const one of record.outcomes)
          if (!outcomes.has(one.outcome.commandId)) outcomes.set(one.outcome.commandId, one)
        return 0
      }
      case 'handover':
        keepParcel(this.tables, record.auctionId, record.parcel)
        return 0
      case 'auto-bid':
        this.autoBidTable.set(record.autoBid.auctionId, record.autoBid)
        return 0
      case 'participation':
        this.#participations.add(record.auctionId)
        return 0
      case 'receipts':
        this.#receipts.push(...record.signed)
        return 0
      case 'equivocation':
        this.#equivocations.set(record.proof.auctionId, { proof: record.proof, owners: record.owners })
        return 0
      case 'peer':
        this.#peers.set(record.peer.nodeId, record.peer)
        return 0
      default: {
        const unknown: never = record
        throw new Error(`unknown record ${JSON.stringify(unknown)}`)
      }
    }
  }
}

function entryOf<V>(map: ReadonlyMap<string, V>, key: string): [string, V][] {
  const value = map.get(key)
  return value === undefined ? [] : [[key, value]]
}

import type { AutoBid } from '../../src/ports/store/auto-bid-repository.js'
import type { EquivocationProof, ProofOwners } from '../../src/ports/store/equivocation-repository.js'
import type { Append } from '../../src/ports/store/event-log.js'
import { LogBrokenError, LogFullError } from '../../src/ports/store/event-log.js'
import type { HandoverParcel } from '../../src/ports/store/handover-repository.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { KnownPeer } from '../../src/ports/store/peer-repository.js'
import type { SignedReceipts } from '../../src/ports/store/receipt-repository.js'
import type { SeededRandom } from './seeded-random.js'

/** What is written at once or not at all. */
export type DiskRecord =
  | { readonly kind: 'append'; readonly entry: Append }
  | { readonly kind: 'outcomes'; readonly outcomes: readonly RecordedOutcome[] }
  | { readonly kind: 'handover'; readonly auctionId: string; readonly parcel: HandoverParcel }
  | { readonly kind: 'auto-bid'; readonly autoBid: AutoBid }
  | { readonly kind: 'participation'; readonly auctionId: string }
  | { readonly kind: 'receipts'; readonly signed: readonly SignedReceipts[] }
  | { readonly kind: 'equivocation'; readonly proof: EquivocationProof; readonly owners: ProofOwners }
  | { readonly kind: 'peer'; readonly peer: KnownPeer }

export interface SimDiskOptions {
  /** False: a disk (or a program) that says it has synced and has not. */
  readonly syncs: boolean
  /** False: a program that takes what it finds for safe, though a killed one may not have come to sync it. */
  readonly syncsAtStart: boolean
}

/**
 * A disk as a log of records, the first part of which is safe. What was written and not synced is in the machine's
 * memory: a crash keeps as much of it, from its start, as chance will have it.
 */
export class SimDisk {
  readonly #random: SeededRandom
  readonly #options: SimDiskOptions
  readonly #records: DiskRecord[] = []
  #safe = 0
  /** The chance that a write finds no room. */
  fullness = 0
  /** Told once of the next write, before it is synced. */
  onceWritten: (() => void) | null = null
  /** The next write or sync meets an I/O error. */
  failing = false

  constructor(random: SeededRandom, options: SimDiskOptions) {
    this.#random = random
    this.#options = options
  }

  writeMs(): number {
    return this.#random.between(0.05, 0.5)
  }

  syncMs(): number {
    return this.#random.chance(0.05) ? this.#random.between(10, 120) : this.#random.between(0.3, 6)
  }

  write(records: readonly DiskRecord[]): void {
    if (this.failing && this.#random.chance(0.5)) throw new LogBrokenError()
    if (this.#random.chance(this.fullness)) throw new LogFullError()
    this.#records.push(...records)
    const told = this.onceWritten
    this.onceWritten = null
    told?.()
  }

  sync(): void {
    if (this.failing) throw new LogBrokenError()
    if (this.#options.syncs) this.#safe = this.#records.length
  }

  /** The power goes. Says how many records were lost. */
  crash(): number {
    const kept = this.#random.int(this.#safe, this.#records.length)
    const lost = this.#records.length - kept
    this.#records.length = kept
    this.#safe = kept
    this.failing = false
    return lost
  }

  /** What a process that starts finds: bytes, not the objects of the last one. */
  open(): DiskRecord[] {
    const { syncs, syncsAtStart } = this.#options
    if (syncs && syncsAtStart) this.#safe = this.#records.length
    return this.#records.map((record) => JSON.parse(JSON.stringify(record)) as DiskRecord)
  }
}

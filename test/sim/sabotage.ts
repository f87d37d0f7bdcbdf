import type { Append } from '../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { Store } from '../../src/ports/store/store.js'
import type { BulkVerifier } from '../../src/ports/system/signer.js'
import { MemoryTables } from '../support/memory/memory-tables.js'
import type { SimDiskOptions } from './sim-disk.js'

/** A safeguard taken away: the simulation has to notice, or its checks are worth nothing. */
export interface Sabotage {
  readonly disk?: Partial<SimDiskOptions>
  readonly tables?: () => MemoryTables
  readonly store?: (store: Store) => Store
  readonly verifier?: BulkVerifier
}

export const NO_SABOTAGE: Sabotage = {}

/** The disk says that it has synced, and has not. */
export const NO_FSYNC: Sabotage = { disk: { syncs: false } }

/** What a killed process left unsynced is taken for stored by the next one. */
export const NO_FSYNC_AT_START: Sabotage = { disk: { syncsAtStart: false } }

/** The log says yes before it has written anything. */
export const ACK_BEFORE_APPEND: Sabotage = {
  store: (store) => {
    let position = 0
    const { eventLog } = store
    return {
      ...partsOf(store),
      eventLog: {
        ...eventLog,
        append: async (entry) => {
          void eventLog.append(entry).catch(() => {})
          return ++position
        },
      },
    }
  },
}

/** The log takes whatever it is given, wherever its head is. */
export const NO_EXPECTED_SEQ: Sabotage = {
  tables: () => new TrustingTables(),
}

class TrustingTables extends MemoryTables {
  override apply(entry: Append): number {
    const auction = this.auctions.get(entry.commit.auctionId)
    if (auction && entry.prevHash !== null) auction.head = { seq: entry.commit.firstSeq - 1, hash: entry.prevHash }
    return super.apply(entry)
  }
}

/** Nobody remembers which commands were decided. */
export const NO_IDEMPOTENCY: Sabotage = {
  store: (store) => {
    const { eventLog } = store
    return {
      ...partsOf(store),
      outcomes: { record: async () => {}, find: async () => new Map() },
      eventLog: {
        ...eventLog,
        append: ({ outcomes: _, ...entry }) => eventLog.append(entry),
      },
    }
  },
}

/** A new home has the outcomes that it is handed until it has agreed to be the home, and forgets them then. */
export const NO_PARCELS: Sabotage = {
  store: (store) => {
    const handed = new Map<string, RecordedOutcome>()
    const { eventLog, handovers, outcomes } = store
    const forget = (auctionId: string) => {
      for (const [id, { outcome }] of handed) if (outcome.auctionId === auctionId) handed.delete(id)
    }
    return {
      ...partsOf(store),
      handovers: {
        ...handovers,
        keep: (auctionId, parcel) => {
          for (const recorded of parcel.outcomes) handed.set(recorded.outcome.commandId, recorded)
          return handovers.keep(auctionId, { ...parcel, outcomes: [] })
        },
      },
      outcomes: {
        record: (recorded) => outcomes.record(recorded),
        find: async (ids) => {
          const found = await outcomes.find(ids)
          for (const id of ids) {
            const recorded = handed.get(id)
            if (recorded !== undefined && !found.has(id)) found.set(id, recorded)
          }
          return found
        },
      },
      eventLog: {
        ...eventLog,
        append: (entry) => {
          if (entry.events.some(({ type }) => type === 'AuctionHandedOver')) forget(entry.commit.auctionId)
          return eventLog.append(entry)
        },
      },
    }
  },
}

/** Every signature is good. */
export const NO_SIGNATURE_CHECK: Sabotage = {
  verifier: { verify: () => true, verifyBeside: () => Promise.resolve(true) },
}

function partsOf(store: Store): Store {
  const { eventLog, outcomes, auctions, secrets, autoBids, participations, peers, broken } = store
  const { receipts, equivocations, breaches, handovers } = store
  const close = () => store.close()
  return {
    eventLog,
    outcomes,
    auctions,
    secrets,
    handovers,
    autoBids,
    participations,
    peers,
    receipts,
    equivocations,
    breaches,
    broken,
    close,
  }
}

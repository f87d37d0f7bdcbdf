import type { NodeServices } from '../../services/node/node-parts.js'
import type { PeerComparison } from '../../src/application/cluster/peer-comparison.js'
import type { HomeLog } from '../../src/application/home/home-log.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../src/ports/store/outcome-repository.js'
import type { SharedAppendResult } from '../../src/ports/store/shared-log.js'
import type { Store } from '../../src/ports/store/store.js'
import type { BulkVerifier } from '../../src/ports/system/signer.js'
import { MemorySharedLog } from '../support/memory/memory-shared-log.js'
import { MemoryTables } from '../support/memory/memory-tables.js'
import type { SimDiskOptions } from './sim-disk.js'

/** A safeguard taken away: the simulation has to notice, or its checks are worth nothing. */
export interface Sabotage {
  readonly disk?: Partial<SimDiskOptions>
  readonly tables?: () => MemoryTables
  readonly store?: (store: Store) => Store
  readonly verifier?: (keys: BulkVerifier) => BulkVerifier
  readonly sharedLog?: () => MemorySharedLog
  /** Of a node that shares a log. */
  readonly cluster?: (services: NodeServices, log: MemorySharedLog) => void
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
  verifier: () => ({ verify: () => true, verifyBeside: () => Promise.resolve(true) }),
}

/** Of the cluster's signature alone. */
export const NO_CLUSTER_SIGNATURE_CHECK: Sabotage = {
  verifier: (keys) => ({
    verify: (text, ...by) => text.startsWith('vendue-takeover') || keys.verify(text, ...by),
    verifyBeside: (...given) => keys.verifyBeside(...given),
  }),
}

/** The shared log takes whatever it is given, wherever its head is. */
export const NO_HEAD_COMPARISON: Sabotage = {
  sharedLog: () => new TrustingSharedLog(),
}

class TrustingSharedLog extends MemorySharedLog {
  override append(chain: readonly Append[]): SharedAppendResult {
    for (const { commit, prevHash } of chain) {
      const auction = this.find(commit.auctionId)
      if (auction && prevHash !== null) auction.head = { seq: commit.firstSeq - 1, hash: prevHash }
    }
    return super.append(chain)
  }
}

/** A new primary is believed, whatever the members of the mesh hold. */
export const NO_HEALING: Sabotage = {
  cluster: (services, log) => {
    services.value('peerComparison', { begin: () => {}, over: async () => {} } as unknown as PeerComparison)
    const { sharedAuctions } = services.parts
    const believed = async (auctionId: string) => {
      const logged = log.find(auctionId)
      return logged ? { auctionId, ...logged } : services.parts.auctions.find(auctionId)
    }
    services.value('sharedAuctions', changed(sharedAuctions, { reconcile: believed }))
  },
}

/** Ends and starts go into the node's own log, and the shared one hears nothing of them. */
export const TIMERS_BESIDE: Sabotage = {
  cluster: (services) => {
    const { homeLog } = services.parts
    const append: HomeLog['append'] = (entry) => {
      const isTimed = entry.events.some(
        (event) => event.type === 'AuctionStarted' || (event.type === 'AuctionClosed' && event.by === 'end-time'),
      )
      return isTimed ? services.parts.eventLog.append(entry) : homeLog.append(entry)
    }
    services.value('homeLog', changed(homeLog, { append }))
  },
}

/** The object with some of its methods changed. */
function changed<T extends object>(target: T, changes: Partial<T>): T {
  return new Proxy(target, {
    get: (_, name) => {
      if (name in changes) return Reflect.get(changes, name)
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
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

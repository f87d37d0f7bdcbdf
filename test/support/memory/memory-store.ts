import type { Append } from '../../../src/ports/store/event-log.js'
import type { Store } from '../../../src/ports/store/store.js'
import { MemoryAuctionRepository } from './memory-auction-repository.js'
import { MemoryAutoBidRepository } from './memory-auto-bid-repository.js'
import { MemoryBreachRepository } from './memory-breach-repository.js'
import { MemoryEquivocationRepository } from './memory-equivocation-repository.js'
import { MemoryEventLog } from './memory-event-log.js'
import { MemoryHandoverRepository } from './memory-handover-repository.js'
import { MemoryOutcomeRepository } from './memory-outcome-repository.js'
import { MemoryParticipationRepository } from './memory-participation-repository.js'
import { MemoryPeerRepository } from './memory-peer-repository.js'
import { MemoryReceiptRepository } from './memory-receipt-repository.js'
import { MemorySecretRepository } from './memory-secret-repository.js'
import { MemoryTables } from './memory-tables.js'

export interface MemoryStoreOptions {
  /**
   * Runs before each append is carried out, which waits for it: to delay it, or to make it fail. After a
   * `LogBrokenError` the log refuses everything, as a real one does.
   */
  readonly beforeAppend?: (entry: Append) => void | Promise<void>
}

/** A store that forgets: for tests and simulations. It keeps every promise of the ports but durability. */
export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  const tables = new MemoryTables()
  const eventLog = new MemoryEventLog({ tables }, options)
  return {
    eventLog,
    outcomes: new MemoryOutcomeRepository({ tables, eventLog }),
    auctions: new MemoryAuctionRepository({ tables }),
    secrets: new MemorySecretRepository({ tables }),
    handovers: new MemoryHandoverRepository({ tables, eventLog }),
    autoBids: new MemoryAutoBidRepository(),
    participations: new MemoryParticipationRepository(),
    peers: new MemoryPeerRepository(),
    broken: eventLog.failed,
    receipts: new MemoryReceiptRepository(),
    equivocations: new MemoryEquivocationRepository(),
    breaches: new MemoryBreachRepository(),
    close: () => eventLog.close(),
  }
}

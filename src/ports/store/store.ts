/** Room `store`: what a node keeps on its disk. */

import type { AuctionRepository, SecretRepository } from './auction-repository.js'
import type { AutoBidRepository } from './auto-bid-repository.js'
import type { BreachRepository } from './breach-repository.js'
import type { EquivocationRepository } from './equivocation-repository.js'
import type { EventLog, LogBrokenError } from './event-log.js'
import type { HandoverRepository } from './handover-repository.js'
import type { OutcomeRepository } from './outcome-repository.js'
import type { ParticipationRepository } from './participation-repository.js'
import type { PeerRepository } from './peer-repository.js'
import type { ReceiptRepository } from './receipt-repository.js'

/** Everything a node keeps, over one set of resources. */
export interface Store {
  readonly eventLog: EventLog
  readonly outcomes: OutcomeRepository
  readonly auctions: AuctionRepository
  readonly secrets: SecretRepository
  readonly handovers: HandoverRepository
  readonly autoBids: AutoBidRepository
  readonly participations: ParticipationRepository
  readonly peers: PeerRepository
  /** Resolves once any write met an I/O error: nothing is written from then on, and the process has to stop. */
  readonly broken: Promise<LogBrokenError>
  readonly receipts: ReceiptRepository
  readonly equivocations: EquivocationRepository
  readonly breaches: BreachRepository
  /** Waits for what is under way, then lets go of everything. Idempotent. */
  close(): Promise<void>
}

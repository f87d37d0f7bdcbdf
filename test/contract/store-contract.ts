import { describeAuctionRepository } from './auction-repository-contract.js'
import { describeEventLog } from './event-log-contract.js'
import { describeHandoverRepository } from './handover-repository-contract.js'
import { describeOutcomeRepository } from './outcome-repository-contract.js'
import { describeSecretRepository } from './secret-repository-contract.js'
import { describeSmallRepositories } from './small-repositories-contract.js'
import type { MakeStore } from './store-harness.js'

/** Everything that every store promises. */
export function describeStore(name: string, make: MakeStore): void {
  describeEventLog(name, make)
  describeAuctionRepository(name, make)
  describeSecretRepository(name, make)
  describeOutcomeRepository(name, make)
  describeHandoverRepository(name, make)
  describeSmallRepositories(name, make)
}

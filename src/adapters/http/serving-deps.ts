import type { AuctionCalls } from '../../application/gateway/auction-calls.js'
import type { AuctionFactsCache } from '../../application/gateway/auction-facts.js'
import type { BidDesk } from '../../application/gateway/bid-desk.js'
import type { Bidders } from '../../application/gateway/bidders.js'
import type { Callers } from '../../application/gateway/callers.js'
import type { CommandIds } from '../../application/gateway/command-ids.js'
import type { EventHub } from '../../application/gateway/event-hub.js'
import type { GatewayMetrics } from '../../application/gateway/gateway-metrics.js'
import type { Guard } from '../../application/gateway/guard.js'
import type { LiveCallers } from '../../application/gateway/live-callers.js'
import type { MovingWatch } from '../../application/gateway/moving-watch.js'
import type { Presence } from '../../application/gateway/presence.js'
import type { StatCalls } from '../../application/gateway/stat-calls.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timers } from '../../ports/system/timers.js'
import type { ClientAddresses } from './client-addresses.js'
import type { OriginPolicy } from './origin-policy.js'

/** What a gateway serves bidders with, whatever protocol they use. */
export interface ServingDeps {
  readonly addresses: ClientAddresses
  readonly api: NodeApi
  readonly bidders: Bidders
  readonly callers: Callers
  readonly calls: AuctionCalls
  readonly clock: Clock
  readonly commandIds: CommandIds
  readonly desk: BidDesk
  readonly facts: AuctionFactsCache
  readonly guard: Guard | null
  readonly hub: EventHub
  readonly liveCallers: LiveCallers
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly movingWatch: MovingWatch
  readonly origins: OriginPolicy
  readonly presence: Presence
  readonly statCalls: StatCalls
  readonly timers: Timers
}

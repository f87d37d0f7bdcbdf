import type { Clock } from '../../../ports/clock.js'
import type { Logger } from '../../../ports/logger.js'
import type { Timers } from '../../../ports/timers.js'
import type { AuctionFactsCache } from '../auction-facts.js'
import type { BidDesk } from '../bid-desk.js'
import type { Bidders } from '../bidders.js'
import type { Callers } from '../callers.js'
import type { GatewayMetrics } from '../gateway-metrics.js'
import type { Guard } from '../guard.js'
import type { ConflatorBeat } from './conflator.js'
import type { EventHub } from './event-hub.js'
import type { LiveCallers } from './live-callers.js'
import type { Presence } from './presence.js'
import type { SocketWriter } from './socket-writer.js'

/** What all connections share. */
export interface SocketSessionDeps {
  readonly bidders: Bidders
  readonly callers: Callers
  readonly clock: Clock
  readonly desk: BidDesk
  readonly facts: AuctionFactsCache
  readonly hub: EventHub
  readonly liveCallers: LiveCallers
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly presence: Presence
  readonly timers: Timers
  readonly guard: Guard | null
  readonly writer: SocketWriter
  readonly beat: ConflatorBeat
}

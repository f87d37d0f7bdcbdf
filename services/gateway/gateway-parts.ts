import type { FastifyPluginAsync } from 'fastify'
import type { GatewayRpc } from '../../src/adapters/connect/rpc-server.js'
import type { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import type { EventStreams } from '../../src/adapters/http/event-streams.js'
import type { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import type { GatewaySocketIo } from '../../src/adapters/socketio/socket-io.js'
import type { GatewayWebSockets } from '../../src/adapters/websocket/websocket-server.js'
import type { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
import type { AuctionCalls } from '../../src/application/gateway/auction-calls.js'
import type { AuctionFactsCache } from '../../src/application/gateway/auction-facts.js'
import type { BidDesk } from '../../src/application/gateway/bid-desk.js'
import type { Bidders } from '../../src/application/gateway/bidders.js'
import type { Callers } from '../../src/application/gateway/callers.js'
import type { CommandIds } from '../../src/application/gateway/command-ids.js'
import type { EventHub } from '../../src/application/gateway/event-hub.js'
import type { GatewayMetrics } from '../../src/application/gateway/gateway-metrics.js'
import type { Guard } from '../../src/application/gateway/guard.js'
import type { HomeBreakers } from '../../src/application/gateway/home-breakers.js'
import type { LiveCallers } from '../../src/application/gateway/live-callers.js'
import type { MovingWatch } from '../../src/application/gateway/moving-watch.js'
import type { Presence } from '../../src/application/gateway/presence.js'
import type { StatCalls } from '../../src/application/gateway/stat-calls.js'
import type { Turns } from '../../src/application/gateway/turns.js'
import type { EventFeed } from '../../src/ports/node/event-feed.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Random } from '../../src/ports/system/random.js'
import type { Timers } from '../../src/ports/system/timers.js'
import type { GatewayServer } from './gateway-server.js'

/** Everything a gateway is made of. */
export interface GatewayParts {
  // Ports
  readonly api: NodeApi
  readonly feed: EventFeed
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  // The gateway
  readonly addresses: ClientAddresses
  readonly callers: Callers
  readonly calls: AuctionCalls
  readonly guard: Guard | null
  readonly plugins: readonly FastifyPluginAsync[]
  readonly origins: OriginPolicy
  readonly commandIds: CommandIds
  readonly facts: AuctionFactsCache
  readonly pseudonyms: Pseudonyms | null
  readonly bidders: Bidders
  readonly breakers: HomeBreakers
  readonly metrics: GatewayMetrics
  readonly desk: BidDesk
  readonly turns: Turns
  readonly hub: EventHub
  readonly liveCallers: LiveCallers
  readonly movingWatch: MovingWatch
  readonly presence: Presence
  readonly statCalls: StatCalls
  readonly streams: EventStreams
  readonly webSockets: GatewayWebSockets
  readonly rpc: GatewayRpc
  readonly socketIo: GatewaySocketIo
  readonly server: GatewayServer
}

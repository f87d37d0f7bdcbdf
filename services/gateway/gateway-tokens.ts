import type { FastifyPluginAsync } from 'fastify'
import type { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import type { EventStreams } from '../../src/adapters/http/event-streams.js'
import type { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import type { GatewaySocketIo } from '../../src/adapters/socketio/socket-io.js'
import type { GatewayWebSockets } from '../../src/adapters/websocket/websocket-server.js'
import type { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
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
import type { Presence } from '../../src/application/gateway/presence.js'
import type { Turns } from '../../src/application/gateway/turns.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Random } from '../../src/ports/system/random.js'
import type { Timers } from '../../src/ports/system/timers.js'
import { Token } from '../tokens.js'
import type { GatewayServer } from './gateway-server.js'

/** Everything a gateway is made of. */
export const gatewayTokens = {
  // Ports
  api: new Token<NodeApi>('gateway.api'),
  clock: new Token<Clock>('gateway.clock'),
  timers: new Token<Timers>('gateway.timers'),
  random: new Token<Random>('gateway.random'),
  logger: new Token<Logger>('gateway.logger'),
  // The gateway
  addresses: new Token<ClientAddresses>('gateway.addresses'),
  callers: new Token<Callers>('gateway.callers'),
  guard: new Token<Guard | null>('gateway.guard'),
  plugins: new Token<readonly FastifyPluginAsync[]>('gateway.plugins'),
  origins: new Token<OriginPolicy>('gateway.origins'),
  commandIds: new Token<CommandIds>('gateway.commandIds'),
  facts: new Token<AuctionFactsCache>('gateway.facts'),
  pseudonyms: new Token<Pseudonyms | null>('gateway.pseudonyms'),
  bidders: new Token<Bidders>('gateway.bidders'),
  breakers: new Token<HomeBreakers>('gateway.breakers'),
  metrics: new Token<GatewayMetrics>('gateway.metrics'),
  desk: new Token<BidDesk>('gateway.desk'),
  turns: new Token<Turns>('gateway.turns'),
  hub: new Token<EventHub>('gateway.hub'),
  liveCallers: new Token<LiveCallers>('gateway.liveCallers'),
  presence: new Token<Presence>('gateway.presence'),
  streams: new Token<EventStreams>('gateway.streams'),
  webSockets: new Token<GatewayWebSockets>('gateway.webSockets'),
  socketIo: new Token<GatewaySocketIo>('gateway.socketIo'),
  server: new Token<GatewayServer>('gateway.server'),
} as const

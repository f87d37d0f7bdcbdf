import type { FastifyPluginAsync } from 'fastify'
import type { AuctionFactsCache } from '../../src/adapters/http/auction-facts.js'
import type { BidDesk } from '../../src/adapters/http/bid-desk.js'
import type { Bidders } from '../../src/adapters/http/bidders.js'
import type { Callers } from '../../src/adapters/http/callers.js'
import type { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import type { CommandIds } from '../../src/adapters/http/command-ids.js'
import type { GatewayMetrics } from '../../src/adapters/http/gateway-metrics.js'
import type { GatewayServer } from '../../src/adapters/http/gateway-server.js'
import type { Guard } from '../../src/adapters/http/guard.js'
import type { HomeBreakers } from '../../src/adapters/http/home-breakers.js'
import type { EventHub } from '../../src/adapters/http/live/event-hub.js'
import type { EventStreams } from '../../src/adapters/http/live/event-streams.js'
import type { LiveCallers } from '../../src/adapters/http/live/live-callers.js'
import type { Presence } from '../../src/adapters/http/live/presence.js'
import type { GatewaySocketIo } from '../../src/adapters/http/live/socket-io.js'
import type { GatewayWebSockets } from '../../src/adapters/http/live/websocket-server.js'
import type { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import type { Turns } from '../../src/adapters/http/turns.js'
import type { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
import type { Clock } from '../../src/ports/clock.js'
import type { Logger } from '../../src/ports/logger.js'
import type { NodeApi } from '../../src/ports/node-api.js'
import type { Random } from '../../src/ports/random.js'
import type { Timers } from '../../src/ports/timers.js'
import { Token } from '../tokens.js'

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

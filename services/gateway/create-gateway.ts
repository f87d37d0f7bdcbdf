import { join } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import { GatewayRpc } from '../../src/adapters/connect/rpc-server.js'
import { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import { EventStreams } from '../../src/adapters/http/event-streams.js'
import { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import { readPageFiles } from '../../src/adapters/http/page-files.js'
import type { ServingDeps } from '../../src/adapters/http/serving-deps.js'
import { PrometheusMetrics } from '../../src/adapters/prometheus/prometheus-metrics.js'
import { GatewaySocketIo } from '../../src/adapters/socketio/socket-io.js'
import { GatewayError } from '../../src/adapters/system/gateway-error.js'
import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { isLoopback } from '../../src/adapters/system/ip-address.js'
import { watchProcess } from '../../src/adapters/system/process-metrics.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { VERSION } from '../../src/adapters/system/version.js'
import { GatewayWebSockets } from '../../src/adapters/websocket/websocket-server.js'
import type { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
import { Statistics } from '../../src/application/analytics/statistics.js'
import type { AccountCalls } from '../../src/application/gateway/account-calls.js'
import { AuctionCalls } from '../../src/application/gateway/auction-calls.js'
import { AuctionFactsCache } from '../../src/application/gateway/auction-facts.js'
import { BidDesk } from '../../src/application/gateway/bid-desk.js'
import { Bidders } from '../../src/application/gateway/bidders.js'
import { AuthenticatedCallers, OpenCallers } from '../../src/application/gateway/callers.js'
import { CommandIds } from '../../src/application/gateway/command-ids.js'
import { EventHub } from '../../src/application/gateway/event-hub.js'
import { GatewayMetrics } from '../../src/application/gateway/gateway-metrics.js'
import type { Guard } from '../../src/application/gateway/guard.js'
import { HomeBreakers } from '../../src/application/gateway/home-breakers.js'
import { LiveCallers } from '../../src/application/gateway/live-callers.js'
import { MovingWatch } from '../../src/application/gateway/moving-watch.js'
import { PolledEventFeed } from '../../src/application/gateway/polled-event-feed.js'
import { Presence } from '../../src/application/gateway/presence.js'
import { StatCalls } from '../../src/application/gateway/stat-calls.js'
import { Turns } from '../../src/application/gateway/turns.js'
import type { Authenticator } from '../../src/ports/accounts/caller.js'
import { type Audit, NO_AUDIT } from '../../src/ports/audit/audit.js'
import type { EventFeed } from '../../src/ports/node/event-feed.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { StatQueries } from '../../src/ports/store/stat-queries.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics, MetricsPage } from '../../src/ports/system/metrics.js'
import type { Timers } from '../../src/ports/system/timers.js'
import { ServiceContainer } from '../container.js'
import type { GatewayParts } from './gateway-parts.js'
import { GatewayServer } from './gateway-server.js'

/** What a gateway is given. */
export interface GatewayNeeds {
  /** Of the node that it stands on, in this process or another. */
  readonly api: NodeApi
  /** Of the node, where it is in this process; its API is asked otherwise. */
  readonly feed?: EventFeed | undefined
  readonly logger: Logger
  /** Nothing is recorded without. */
  readonly audit?: Audit | undefined
  /** Of the node, where it is in this process; the gateway's own otherwise. */
  readonly metrics?: Metrics & MetricsPage
  /** Absent: names are taken on trust (`auth: open`). */
  readonly authenticator?: Authenticator
  readonly guard?: Guard
  /** Absent where there are no accounts. */
  readonly accountCalls?: AccountCalls
  /** The system's otherwise. */
  readonly timers?: Timers
  /** Of accounts; where there are none, nobody bids in auctions that ask for pseudonyms. */
  readonly pseudonyms?: Pseudonyms
  /** The numbers about auctions, if some are computed. */
  readonly stats?: StatQueries | undefined
  /** Further routes. */
  readonly plugins?: readonly FastifyPluginAsync[]
}

export interface RunningGateway {
  readonly url: string
  /** Names are taken on trust. */
  readonly open: boolean
  /** The port is another than the usual one, which was taken. */
  readonly fellBack: boolean
  /** Answers what is under way, says goodbye to everybody, and frees the port. Idempotent. */
  stop(): Promise<void>
  /** What it is made of, for tests and benchmarks. */
  readonly services: ServiceContainer<GatewayParts>
}

/** Where the set-up builds the web page, beside the compiled services. */
const PAGE_DIR = join(import.meta.dirname, '../../web')

/** Starts a gateway. Rejects with `GatewayError` or `NodeError`; nothing is left running then. */
export async function startGateway(settings: GatewaySettings, needs: GatewayNeeds): Promise<RunningGateway> {
  const { host, port, authOpenAnywhere } = settings
  const open = needs.authenticator === undefined
  if (open && !isLoopback(host) && !authOpenAnywhere) throw GatewayError.openAnywhere(host)
  const services = new ServiceContainer<GatewayParts>()
  const own = needs.metrics ? null : new PrometheusMetrics()
  const unwatch = own && watchProcess(own)
  compose(services, settings, { ...needs, metrics: needs.metrics ?? (own as PrometheusMetrics) })
  const server = services.parts.server
  try {
    const { port: taken, fellBack } = await server.start()
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`
    if (open) {
      needs.logger.warn({ url }, 'the gateway takes names on trust: whoever reaches it may bid as anybody')
    }
    needs.logger.info({ url, auth: open ? 'open' : 'accounts' }, 'the gateway serves')
    const stop = async () => {
      await server.stop()
      services.parts.breakers.stop()
      unwatch?.()
    }
    return { url, open, fellBack, stop, services }
  } catch (error) {
    unwatch?.()
    await server.stop()
    throw GatewayError.listening(host, port, error)
  }
}

function compose(
  services: ServiceContainer<GatewayParts>,
  settings: GatewaySettings,
  needs: GatewayNeeds & Required<Pick<GatewayNeeds, 'metrics'>>,
): void {
  const { parts } = services
  const { host, port, portTaken, origins, gateways, authOpenAnywhere, currency, maxConnections } = settings
  const { audit = NO_AUDIT, authenticator } = needs
  // A proxy passes on the name that the world knows it by.
  const behindProxy = authenticator !== undefined && settings.trustedProxies.length > 0
  const serving = (): ServingDeps => ({
    addresses: parts.addresses,
    api: parts.api,
    bidders: parts.bidders,
    callers: parts.callers,
    calls: parts.calls,
    clock: parts.clock,
    commandIds: parts.commandIds,
    desk: parts.desk,
    facts: parts.facts,
    guard: parts.guard,
    hub: parts.hub,
    liveCallers: parts.liveCallers,
    logger: parts.logger,
    metrics: parts.metrics,
    movingWatch: parts.movingWatch,
    origins: parts.origins,
    presence: parts.presence,
    statCalls: parts.statCalls,
    timers: parts.timers,
  })
  services
    .value('api', needs.api)
    .factory('feed', () => needs.feed ?? new PolledEventFeed({ api: parts.api }))
    .value('clock', systemClock)
    .value('timers', needs.timers ?? systemTimers)
    .value('random', systemRandom)
    .value('logger', needs.logger)
    .factory('guard', () => needs.guard ?? null)
    .value('plugins', needs.plugins ?? [])
    .factory('callers', () => (authenticator ? new AuthenticatedCallers({ authenticator, audit }) : new OpenCallers()))
    .factory('addresses', () => new ClientAddresses(settings.trustedProxies))
    .factory(
      'origins',
      () =>
        new OriginPolicy({
          // Their pages are the same page as this one's.
          allowed: [...origins, ...gateways],
          loopbackOnly: isLoopback(host) && !authOpenAnywhere && !behindProxy,
        }),
    )
    .factory('commandIds', () => new CommandIds({ clock: parts.clock, random: parts.random }))
    .factory('facts', () => new AuctionFactsCache({ api: parts.api }))
    .factory('pseudonyms', () => needs.pseudonyms ?? null)
    .factory('bidders', () => new Bidders({ api: parts.api, facts: parts.facts, pseudonyms: parts.pseudonyms }))
    .factory('breakers', () => new HomeBreakers())
    .factory('metrics', () => {
      const connections = () => ({
        websockets: parts.webSockets.size,
        eventStreams: parts.streams.size,
        socketIo: parts.socketIo.size,
        openBreakers: parts.breakers.open,
      })
      const waiting = () => parts.turns.waiting
      return new GatewayMetrics(needs.metrics, {
        connections,
        waiting,
        status: () => needs.api.status(),
        guard: () => needs.guard ?? null,
      })
    })
    .factory(
      'desk',
      () =>
        new BidDesk({
          api: parts.api,
          audit,
          bidders: parts.bidders,
          breakers: parts.breakers,
          clock: parts.clock,
          commandIds: parts.commandIds,
          facts: parts.facts,
          metrics: parts.metrics,
          turns: parts.turns,
        }),
    )
    .factory('calls', () => {
      const { api, bidders, callers, commandIds, desk, guard } = parts
      return new AuctionCalls({ api, audit, bidders, callers, commandIds, desk, guard })
    })
    .factory('turns', () => new Turns({ clock: parts.clock, metrics: parts.metrics }))
    .factory(
      'hub',
      () =>
        new EventHub({
          api: parts.api,
          facts: parts.facts,
          feed: parts.feed,
          logger: parts.logger,
          metrics: parts.metrics,
        }),
    )
    .factory(
      'liveCallers',
      () => new LiveCallers({ callers: parts.callers, logger: parts.logger, timers: parts.timers }),
    )
    .factory('movingWatch', () => new MovingWatch({ api: parts.api, logger: parts.logger }))
    .factory('statCalls', () => {
      const { callers, clock } = parts
      const statistics = needs.stats ? new Statistics({ queries: needs.stats, clock }) : null
      return new StatCalls({ callers, statistics })
    })
    .factory('presence', () => new Presence({ timers: parts.timers }))
    .factory(
      'streams',
      () =>
        new EventStreams({
          clock: parts.clock,
          hub: parts.hub,
          liveCallers: parts.liveCallers,
          logger: parts.logger,
          metrics: parts.metrics,
          movingWatch: parts.movingWatch,
          timers: parts.timers,
        }),
    )
    .factory(
      'webSockets',
      () =>
        new GatewayWebSockets(serving(), {
          maxConnections,
          maxConnectionsPerAddress: settings.maxConnectionsPerAddress,
        }),
    )
    .factory('socketIo', () => new GatewaySocketIo(serving()))
    .factory(
      'rpc',
      () => new GatewayRpc({ ...serving(), accountCalls: needs.accountCalls ?? null }, { defaultCurrency: currency }),
    )
    .factory(
      'server',
      () =>
        new GatewayServer(
          {
            ...serving(),
            plugins: parts.plugins,
            rpc: parts.rpc,
            socketIo: parts.socketIo,
            streams: parts.streams,
            webSockets: parts.webSockets,
          },
          {
            host,
            port,
            portTaken,
            gateways,
            defaultCurrency: currency,
            version: VERSION,
            page: readPageFiles(PAGE_DIR),
          },
        ),
    )
}

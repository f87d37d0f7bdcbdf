import { join } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import { EventStreams } from '../../src/adapters/http/event-streams.js'
import { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import { readPageFiles } from '../../src/adapters/http/page-files.js'
import { PrometheusMetrics } from '../../src/adapters/prometheus/prometheus-metrics.js'
import { GatewaySocketIo } from '../../src/adapters/socketio/socket-io.js'
import { GatewayError } from '../../src/adapters/system/gateway-error.js'
import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { isLoopback } from '../../src/adapters/system/loopback.js'
import { watchProcess } from '../../src/adapters/system/process-metrics.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { VERSION } from '../../src/adapters/system/version.js'
import { GatewayWebSockets } from '../../src/adapters/websocket/websocket-server.js'
import type { Pseudonyms } from '../../src/application/accounts/pseudonyms.js'
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
import { Presence } from '../../src/application/gateway/presence.js'
import { Turns } from '../../src/application/gateway/turns.js'
import type { Authenticator } from '../../src/ports/accounts/caller.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics, MetricsPage } from '../../src/ports/system/metrics.js'
import { ServiceContainer } from '../container.js'
import type { Token } from '../tokens.js'
import { GatewayServer } from './gateway-server.js'
import { gatewayTokens as tokens } from './gateway-tokens.js'

export interface GatewayParts {
  /** Of the node that it stands on, in this process or another. */
  readonly api: NodeApi
  readonly logger: Logger
  /** Of the node, where it is in this process; the gateway's own otherwise. */
  readonly metrics?: Metrics & MetricsPage
  /** Absent: names are taken on trust (`auth: open`). */
  readonly authenticator?: Authenticator
  readonly guard?: Guard
  /** Of accounts; where there are none, nobody bids in auctions that ask for pseudonyms. */
  readonly pseudonyms?: Pseudonyms
  /** Further routes. */
  readonly plugins?: readonly FastifyPluginAsync[]
}

export interface RunningGateway {
  readonly url: string
  /** Names are taken on trust. */
  readonly open: boolean
  /** The port is another than the usual one, which was taken. */
  readonly fellBack: boolean
  /** Answers what is under way, tells everybody, and lets go of the port. Idempotent. */
  stop(): Promise<void>
  /** What it is made of, for tests and benchmarks. */
  readonly services: ServiceContainer
}

/** Where the set-up builds the web page, beside the compiled services. */
const PAGE_DIR = join(import.meta.dirname, '../../web')

type NameOf = keyof typeof tokens
type Services<N extends NameOf> = { [K in N]: (typeof tokens)[K]['type'] }

/** Starts a gateway. Rejects with `GatewayError` or `NodeError`; nothing is left running then. */
export async function startGateway(settings: GatewaySettings, parts: GatewayParts): Promise<RunningGateway> {
  const { host, port, authOpenAnywhere } = settings
  const open = parts.authenticator === undefined
  if (open && !isLoopback(host) && !authOpenAnywhere) throw GatewayError.openAnywhere(host)
  const services = new ServiceContainer()
  const own = parts.metrics ? null : new PrometheusMetrics()
  const unwatch = own && watchProcess(own)
  compose(services, settings, { ...parts, metrics: parts.metrics ?? (own as PrometheusMetrics) })
  const server = services.get(tokens.server)
  try {
    const { port: taken, fellBack } = await server.start()
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${taken}`
    if (open) {
      parts.logger.warn({ url }, 'the gateway takes names on trust: whoever reaches it may bid as anybody')
    }
    parts.logger.info({ url, auth: open ? 'open' : 'accounts' }, 'the gateway serves')
    const stop = async () => {
      await server.stop()
      services.get(tokens.breakers).stop()
      unwatch?.()
    }
    return { url, open, fellBack, stop, services }
  } catch (error) {
    unwatch?.()
    await server.stop()
    throw GatewayError.listening(host, port, error)
  }
}

/** What whatever serves bidders needs. */
const FOR_BIDDERS = [
  ...(['addresses', 'bidders', 'callers', 'clock', 'desk', 'facts', 'guard', 'hub'] as const),
  ...(['liveCallers', 'logger', 'metrics', 'origins', 'presence', 'timers'] as const),
] as const

function compose(
  services: ServiceContainer,
  settings: GatewaySettings,
  parts: GatewayParts & Required<Pick<GatewayParts, 'metrics'>>,
): void {
  const deps = <N extends NameOf>(...names: N[]) =>
    Object.fromEntries(
      names.map((name) => [name, services.get(tokens[name] as Token<unknown>)]),
    ) as Services<N>
  const { host, port, portTaken, origins, gateways, authOpenAnywhere, currency, maxConnections } = settings
  const { authenticator } = parts
  // A proxy passes on the name that the world knows it by.
  const behindProxy = authenticator !== undefined && settings.trustedProxies.length > 0
  services
    .value(tokens.api, parts.api)
    .value(tokens.clock, systemClock)
    .value(tokens.timers, systemTimers)
    .value(tokens.random, systemRandom)
    .value(tokens.logger, parts.logger)
    .factory(tokens.guard, () => parts.guard ?? null)
    .value(tokens.plugins, parts.plugins ?? [])
    .factory(tokens.callers, () =>
      authenticator ? new AuthenticatedCallers({ authenticator }) : new OpenCallers(),
    )
    .factory(tokens.addresses, () => new ClientAddresses(settings.trustedProxies))
    .factory(
      tokens.origins,
      () =>
        new OriginPolicy({
          // Their pages are the same page as this one's.
          allowed: [...origins, ...gateways],
          loopbackOnly: isLoopback(host) && !authOpenAnywhere && !behindProxy,
        }),
    )
    .factory(tokens.commandIds, () => new CommandIds(deps('clock', 'random')))
    .factory(tokens.facts, () => new AuctionFactsCache(deps('api')))
    .factory(tokens.pseudonyms, () => parts.pseudonyms ?? null)
    .factory(tokens.bidders, () => new Bidders(deps('api', 'facts', 'pseudonyms')))
    .factory(tokens.breakers, () => new HomeBreakers())
    .factory(tokens.metrics, () => {
      const connections = () => ({
        websockets: services.get(tokens.webSockets).size,
        eventStreams: services.get(tokens.streams).size,
        socketIo: services.get(tokens.socketIo).size,
        openBreakers: services.get(tokens.breakers).open,
      })
      const waiting = () => services.get(tokens.turns).waiting
      return new GatewayMetrics(parts.metrics, {
        connections,
        waiting,
        status: () => parts.api.status(),
        guard: () => parts.guard ?? null,
      })
    })
    .factory(
      tokens.desk,
      () =>
        new BidDesk(deps('api', 'bidders', 'breakers', 'clock', 'commandIds', 'facts', 'metrics', 'turns')),
    )
    .factory(tokens.turns, () => new Turns(deps('clock', 'metrics')))
    .factory(tokens.hub, () => new EventHub(deps('api', 'facts', 'logger', 'metrics')))
    .factory(tokens.liveCallers, () => new LiveCallers(deps('callers', 'logger', 'timers')))
    .factory(tokens.presence, () => new Presence(deps('timers')))
    .factory(
      tokens.streams,
      () => new EventStreams(deps('clock', 'hub', 'liveCallers', 'logger', 'metrics', 'timers')),
    )
    .factory(
      tokens.webSockets,
      () =>
        new GatewayWebSockets(deps(...FOR_BIDDERS), {
          maxConnections,
          maxConnectionsPerAddress: settings.maxConnectionsPerAddress,
        }),
    )
    .factory(tokens.socketIo, () => new GatewaySocketIo(deps(...FOR_BIDDERS, 'api', 'commandIds')))
    .factory(
      tokens.server,
      () =>
        new GatewayServer(
          deps(
            ...FOR_BIDDERS,
            ...(['api', 'commandIds', 'plugins', 'socketIo', 'streams', 'webSockets'] as const),
          ),
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

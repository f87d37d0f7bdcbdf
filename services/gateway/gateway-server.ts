import type { Socket } from 'node:net'
import type { FastifyPluginAsync } from 'fastify'
import type { GatewayRpc } from '../../src/adapters/connect/rpc-server.js'
import type { EventStreams } from '../../src/adapters/http/event-streams.js'
import { createHttpApp } from '../../src/adapters/http/http-app.js'
import { type PageFiles, pageIdOf } from '../../src/adapters/http/page-files.js'
import { type ProblemAnswer, problemOf, RequestError } from '../../src/adapters/http/problem.js'
import { auctionRoutes } from '../../src/adapters/http/routes/auctions.js'
import { autoBidRoutes } from '../../src/adapters/http/routes/auto-bids.js'
import { bidRoutes } from '../../src/adapters/http/routes/bids.js'
import { eventRoutes } from '../../src/adapters/http/routes/events.js'
import { logRoutes } from '../../src/adapters/http/routes/log.js'
import { meRoutes } from '../../src/adapters/http/routes/me.js'
import { nodeRoutes } from '../../src/adapters/http/routes/node.js'
import { pageRoutes } from '../../src/adapters/http/routes/page.js'
import { pictureRoutes } from '../../src/adapters/http/routes/pictures.js'
import type { GatewayApp } from '../../src/adapters/http/routes/route.js'
import { sellerRoutes } from '../../src/adapters/http/routes/seller.js'
import { statRoutes } from '../../src/adapters/http/routes/stats.js'
import { winnerRoutes } from '../../src/adapters/http/routes/winner.js'
import type { ServingDeps } from '../../src/adapters/http/serving-deps.js'
import { StalledReaders } from '../../src/adapters/http/stalled-readers.js'
import type { GatewaySocketIo } from '../../src/adapters/socketio/socket-io.js'
import { asyncApiYaml } from '../../src/adapters/websocket/asyncapi.js'
import type { GatewayWebSockets } from '../../src/adapters/websocket/websocket-server.js'
import { refuseUpgrade } from '../../src/adapters/websocket/websocket-server.js'

export interface GatewayServerDeps extends ServingDeps {
  readonly rpc: GatewayRpc
  readonly socketIo: GatewaySocketIo
  readonly streams: EventStreams
  readonly webSockets: GatewayWebSockets
  /** Further routes, such as those of accounts. */
  readonly plugins: readonly FastifyPluginAsync[]
}

export interface GatewayServerOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** What happens where the port is taken: an error, or any free one instead. */
  readonly portTaken: 'error' | 'another'
  readonly defaultCurrency: string
  readonly version: string
  /** The web page; null: this gateway is for programs alone. */
  readonly page: PageFiles | null
  /** Other gateways with the same bidders. */
  readonly gateways: readonly string[]
  /** How long what is under way may take when the gateway stops. */
  readonly drainMs?: number
}

const SOCKET_IO_PATH = '/socket.io/'
const DRAIN_MS = 10_000
const MAX_SOCKETS = 20_000

/** HTTP, gRPC, WebSocket and event streams on one port. */
export class GatewayServer {
  readonly #deps: GatewayServerDeps
  readonly #options: GatewayServerOptions
  readonly #sockets = new Set<Socket>()
  readonly #stalled: StalledReaders
  #app: GatewayApp | null = null
  #draining = false
  #underWay = 0
  #idle: (() => void)[] = []
  #stopping: Promise<void> | null = null

  constructor(deps: GatewayServerDeps, options: GatewayServerOptions) {
    this.#deps = deps
    this.#options = options
    this.#stalled = new StalledReaders({
      timers: deps.timers,
      sockets: this.#sockets,
      cut: () => deps.metrics.slowReader('http'),
    })
  }

  /** Resolves with where it listens. Rejects with the error of `listen`. */
  async start(): Promise<{ host: string; port: number; fellBack: boolean }> {
    const { hub, liveCallers, movingWatch, webSockets, streams } = this.#deps
    const app = await this.#build()
    this.#app = app
    await hub.start()
    const fellBack = await this.#listen(app)
    liveCallers.start()
    movingWatch.start()
    webSockets.start()
    streams.start()
    this.#stalled.start()
    const { address, port } = app.server.address() as { address: string; port: number }
    return { host: address, port, fellBack }
  }

  /**
   * Nothing new is taken; what is under way is answered; then everybody gets the reason and is disconnected.
   * Idempotent.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const { desk, hub, liveCallers, movingWatch, presence, rpc, socketIo, streams, webSockets } = this.#deps
    const { drainMs = DRAIN_MS } = this.#options
    this.#draining = true
    desk.close()
    await this.#within(drainMs, Promise.all([desk.idle(), rpc.idle(), this.#requestsDone()]))
    this.#stalled.stop()
    webSockets.drain()
    streams.drain()
    rpc.drain()
    if (this.#app) {
      await this.#within(Math.min(drainMs, GOODBYE_MS), socketIo.drain())
      socketIo.close()
    }
    hub.stop()
    movingWatch.stop()
    presence.stop()
    liveCallers.stop()
    await this.#close(drainMs)
  }

  async #close(patienceMs: number): Promise<void> {
    const app = this.#app
    if (!app) return
    const closed = app.close()
    await this.#within(Math.min(patienceMs, GOODBYE_MS), closed)
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #build(): Promise<GatewayApp> {
    const { version, defaultCurrency, page, gateways } = this.#options
    const app = await createHttpApp(this.#deps, { version, draining: () => this.#draining })
    app.addHook('onRequest', async (_, reply) => {
      this.#underWay += 1
      reply.raw.once('close', () => {
        this.#underWay -= 1
        if (this.#isIdle()) for (const done of this.#idle.splice(0)) done()
      })
    })
    auctionRoutes(app, this.#deps, { defaultCurrency })
    bidRoutes(app, this.#deps)
    sellerRoutes(app, this.#deps)
    winnerRoutes(app, this.#deps)
    meRoutes(app, this.#deps)
    logRoutes(app, this.#deps)
    statRoutes(app, this.#deps)
    await pictureRoutes(app, this.#deps)
    eventRoutes(app, this.#deps)
    const asyncApi = asyncApiYaml(version)
    autoBidRoutes(app, this.#deps)
    nodeRoutes(app, this.#deps, { version, defaultCurrency, gateways, asyncApi, page: pageIdOf(page) })
    if (page) pageRoutes(app, page, { gateways })
    for (const plugin of this.#deps.plugins) await app.register(plugin)
    app.server.maxConnections = MAX_SOCKETS
    app.server.on('upgrade', (request, socket, head) => {
      const { webSockets } = this.#deps
      const path = (request.url ?? '').split('?')[0] as string
      if (webSockets.handles(path)) return webSockets.upgrade(request, socket, head)
      if (path.startsWith(SOCKET_IO_PATH)) return
      socket.on('error', () => socket.destroy())
      refuseUpgrade(socket, NO_SUCH_SOCKET)
    })
    await app.ready()
    this.#deps.socketIo.attach(app.server)
    this.#deps.rpc.attach(app.server)
    app.server.on('connection', (socket: Socket) => this.#connected(socket))
    return app
  }

  /** Those of a trusted proxy are many callers', who are counted by what they ask. */
  #connected(socket: Socket): void {
    const { addresses, guard } = this.#deps
    const { remoteAddress: address = '' } = socket
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    if (guard === null || addresses.trusts(address)) return
    const held = guard.hold('sockets', { address })
    try {
      held.add(1)
      socket.once('close', () => held.release())
    } catch (error) {
      const answer = problemOf(error)
      if (answer) refuseUpgrade(socket, answer)
      // Nothing that it has sent already is served.
      socket.destroySoon()
    }
  }

  /** True if another port than the wanted one was taken. */
  async #listen(app: GatewayApp): Promise<boolean> {
    const { host, port, portTaken } = this.#options
    try {
      await app.listen({ host, port })
      return false
    } catch (error) {
      if (portTaken === 'error' || (error as { code?: unknown }).code !== 'EADDRINUSE') throw error
      await app.listen({ host, port: 0 })
      return true
    }
  }

  #requestsDone(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Event streams are requests that never end. */
  #isIdle(): boolean {
    return this.#underWay <= this.#deps.streams.size
  }

  #within(ms: number, work: Promise<unknown>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#deps.timers.after(ms, resolve)
      void work.finally(() => {
        timer.cancel()
        resolve()
      })
    })
  }
}

/** How long clients have to leave after the goodbye. */
const GOODBYE_MS = 2_000
const NO_SUCH_SOCKET = problemOf(
  new RequestError(404, 'NOT_FOUND', 'there is no WebSocket at this address', {
    next: 'connect to /ws or /ws/auction/{id}',
  }),
) as ProblemAnswer

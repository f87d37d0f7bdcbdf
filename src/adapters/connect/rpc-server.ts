/** Room `connect`: a gateway over gRPC, gRPC-Web and Connect. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import {
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2'
import { createContextValues, type Interceptor, type StreamResponse } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { file_grpc_health_v1_health, Health } from '../../../gen/grpc/health/v1/health_pb.js'
import { file_grpc_reflection_v1_reflection, ServerReflection } from '../../../gen/grpc/reflection/v1/reflection_pb.js'
import { AccountService, file_vendue_v1_accounts } from '../../../gen/vendue/v1/accounts_pb.js'
import { AuctionService, file_vendue_v1_auctions } from '../../../gen/vendue/v1/auctions_pb.js'
import type { AccountCalls } from '../../application/gateway/account-calls.js'
import { InOrder } from '../../application/turns/in-order.js'
import { RequestError } from '../http/problem.js'
import { requestIdOf } from '../http/request-id.js'
import type { ServingDeps } from '../http/serving-deps.js'
import { accountService } from './account-service.js'
import { auctionService } from './auction-service.js'
import { EventQueues } from './event-queues.js'
import { healthService } from './health-service.js'
import { takeHttp2 } from './http2-connections.js'
import { reflectionService } from './reflection-service.js'
import { RPC_CALL, type RpcCall } from './rpc-call.js'
import { internalError, rpcError } from './rpc-errors.js'

export interface GatewayRpcDeps extends ServingDeps {
  /** Null if there are no accounts. */
  readonly accountCalls: AccountCalls | null
}

export interface GatewayRpcOptions {
  readonly defaultCurrency: string
}

type Request = IncomingMessage | Http2ServerRequest
type Response = ServerResponse | Http2ServerResponse

const MAX_MESSAGE_BYTES = 128 * 1024
const MAX_HEADER_BYTES = 16 * 1024
const MAX_CONCURRENT_STREAMS = 100
/** A request has to arrive in full within this time. */
const REQUEST_TIMEOUT_MS = 30_000
/** For a connection without calls and streams. */
const IDLE_SESSION_MS = 65_000
/** `/package.Service/Method`; no path of the HTTP API has this form. */
const PATH = /^\/[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)*\.[A-Z][A-Za-z0-9]*\/[A-Z][A-Za-z0-9]*$/

/** Answers calls over HTTP/2 and HTTP/1.1, on one port. */
export class GatewayRpc {
  readonly #deps: ServingDeps
  readonly #queues: EventQueues
  readonly #http2: Http2Server
  readonly #answer: (request: Request, response: Response) => void
  readonly #sessions = new Set<ServerHttp2Session>()
  readonly #lanes = new WeakMap<object, InOrder>()
  #underWay = 0
  #idle: (() => void)[] = []
  #endless = 0
  readonly #stopping = new AbortController()

  constructor(deps: GatewayRpcDeps, options: GatewayRpcOptions) {
    this.#deps = deps
    this.#queues = new EventQueues(deps)
    const { accountCalls } = deps
    const served = [AuctionService, Health, ServerReflection, ...(accountCalls ? [AccountService] : [])]
    const services: ReadonlySet<string> = new Set(served.map(({ typeName }) => typeName))
    this.#answer = connectNodeAdapter({
      routes: (router) => {
        router.service(AuctionService, auctionService({ ...deps, queues: this.#queues }, options))
        if (accountCalls) router.service(AccountService, accountService(accountCalls, deps))
        router.service(Health, healthService({ api: deps.api, services, stopping: this.#stopping.signal }))
        router.service(ServerReflection, reflectionService(FILES, services))
      },
      interceptors: [this.#interceptor],
      contextValues: (request) => createContextValues().set(RPC_CALL, this.#callOf(request)),
      readMaxBytes: MAX_MESSAGE_BYTES,
      // Compressed messages could grow large in memory, and messages are small anyway.
      acceptCompression: [],
      fallback: (_, response) => {
        response.writeHead(404)
        response.end()
      },
    })
    this.#http2 = createServer(
      {
        settings: { maxConcurrentStreams: MAX_CONCURRENT_STREAMS, maxHeaderListSize: MAX_HEADER_BYTES },
        maxHeaderListPairs: 64,
      },
      (request, response) => this.#serve(request, response),
    )
    this.#http2.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
      session.setTimeout(IDLE_SESSION_MS, () => session.close())
      session.on('error', () => session.destroy())
    })
    this.#http2.on('sessionError', () => {})
  }

  /** Event streams that are open. */
  get streams(): number {
    return this.#queues.size
  }

  /**
   * Takes its share from an HTTP server that listens: connections that begin as HTTP/2, and requests for services over
   * HTTP/1.1.
   */
  attach(server: Server): void {
    const asked = server.listeners('request') as ((request: Request, response: Response) => void)[]
    takeHttp2(server, this.#http2, this.#deps)
    server.removeAllListeners('request')
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const isCall = PATH.test((request.url ?? '').split('?')[0] as string) && request.method !== 'OPTIONS'
      if (isCall) this.#serve(request, response)
      else for (const listener of asked) listener.call(server, request, response)
    })
  }

  /** Takes no new calls; streams end with the reason. */
  drain(): void {
    this.#stopping.abort()
    this.#queues.drain()
    for (const session of this.#sessions) session.close()
  }

  /** Resolves once no call is under way, except those that never end by themselves. */
  idle(): Promise<void> {
    return this.#isIdle() ? Promise.resolve() : new Promise((resolve) => this.#idle.push(resolve))
  }

  #isIdle(): boolean {
    return this.#underWay <= this.#endless
  }

  #serve(request: Request, response: Response): void {
    this.#underWay += 1
    const late = this.#deps.timers.after(REQUEST_TIMEOUT_MS, () => {
      if (!request.complete) request.destroy()
    })
    response.once('close', () => {
      late.cancel()
      this.#underWay -= 1
      if (this.#isIdle()) for (const done of this.#idle.splice(0)) done()
    })
    response.on('error', () => {})
    request.on('error', () => {})
    const { origin } = request.headers
    if (origin !== undefined && this.#deps.origins.isAllowed(origin)) {
      response.setHeader('access-control-allow-origin', origin)
      response.setHeader(
        'access-control-expose-headers',
        'grpc-status, grpc-message, grpc-status-details-bin, retry-after',
      )
      response.setHeader('vary', 'origin')
    }
    this.#answer(request, response)
  }

  /** What is known about a call before its caller is known. */
  #callOf(request: Request): RpcCall {
    const { headers } = request
    const session = 'stream' in request ? (request.stream.session ?? request.stream) : request.socket
    let lane = this.#lanes.get(session)
    if (lane === undefined) {
      lane = new InOrder()
      this.#lanes.set(session, lane)
    }
    const address = this.#deps.addresses.of({ headers, socket: request.socket } as IncomingMessage)
    return {
      caller: null,
      via: 'grpc',
      address,
      refused: this.#refusalOf(address),
      requestId: requestIdOf(headers['x-request-id']),
      presented: {
        origin: { via: 'grpc', from: address },
        headers: { ...headers, host: headers.host ?? headers[':authority'] },
      },
      lane,
    }
  }

  /** Counted before any of it is read. */
  #refusalOf(address: string): RpcCall['refused'] {
    try {
      this.#deps.guard?.callFrom(address)
      return null
    } catch (error) {
      return { error }
    }
  }

  /** What all calls share: limits, origins, the caller, and our errors. */
  readonly #interceptor: Interceptor = (next) => async (request) => {
    const call = request.contextValues.get(RPC_CALL)
    const endless = ENDLESS.has(request.method.name) ? 1 : 0
    this.#endless += endless
    const end = () => {
      this.#endless -= endless
    }
    try {
      if (call === null) throw new Error('the caller has not been looked up')
      const { lane } = call
      const admit = () => this.#admitted(call, CREDENTIALS_IGNORED.has(request.method.name))
      // A call keeps its place even if checking its caller takes longer.
      request.contextValues.set(RPC_CALL, await (lane === undefined ? admit() : lane.run(admit)))
      const response = await next(request)
      if (response.stream) return this.#guarded(response, end)
      end()
      return response
    } catch (error) {
      end()
      throw this.#failure(error)
    }
  }

  async #admitted(call: RpcCall, isAnybodys: boolean): Promise<RpcCall> {
    const { callers, guard, origins } = this.#deps
    if (this.#stopping.signal.aborted)
      throw new RequestError(503, 'STOPPING', 'the gateway stops; nothing was done', {
        next: 'call again, here or another gateway',
        retryAfterSeconds: 2,
      })
    if (call.refused) throw call.refused.error
    const refusal = origins.refusal(call.presented.headers)
    if (refusal) throw refusal
    const caller = isAnybodys ? null : await callers.identify(call.presented)
    if (caller) guard?.callBy(caller.party.id)
    return { ...call, caller }
  }

  #guarded(response: StreamResponse, end: () => void): StreamResponse {
    const failure = (error: unknown) => this.#failure(error)
    async function* each(messages: StreamResponse['message']) {
      try {
        yield* messages
      } catch (error) {
        throw failure(error)
      } finally {
        end()
      }
    }
    return { ...response, message: each(response.message) }
  }

  #failure(error: unknown): unknown {
    const known = rpcError(error)
    if (known !== null) return known
    this.#deps.logger.error({ err: error }, 'a call failed')
    return internalError()
  }
}

const FILES = [
  file_vendue_v1_auctions,
  file_vendue_v1_accounts,
  file_grpc_health_v1_health,
  file_grpc_reflection_v1_reflection,
]
/** Nobody waits for their end. */
const ENDLESS: ReadonlySet<string> = new Set(['StreamEvents', 'Watch', 'ServerReflectionInfo'])
/** A client with old tokens must be able to get new ones. */
const CREDENTIALS_IGNORED: ReadonlySet<string> = new Set(['Register', 'LogIn', 'RefreshTokens', 'LogOut'])

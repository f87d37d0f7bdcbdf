/** Room `grenache`: RPC between nodes, and from an operator to a node, over Grenache. */

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { PeerRPCServer } from 'grenache-nodejs-http'
import type { Budgets } from '../../application/budgets/budgets.js'
import type { Admission } from '../../application/members/peer-gate.js'
import type { Audit } from '../../ports/audit/audit.js'
import type { MeshService } from '../../ports/members/mesh-service.js'
import type { PeerService } from '../../ports/mesh/peer-service.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import type { Logger } from '../../ports/system/logger.js'
import { type Histogram, type Metrics, NO_METRICS } from '../../ports/system/metrics.js'
import type { BoundRpc, RpcCaller } from './rpc/define-rpc.js'
import { rpcTable } from './rpc/rpc-table.js'
import {
  type AnswerPayload,
  failure,
  loggedIds,
  type RequestIds,
  requestPayloadSchema,
  toWireError,
} from './rpc/wire.js'
import { listenError } from './transport/listen-error.js'
import type { MeshTls } from './transport/mesh-tls.js'
import { type RequestOrigin, RpcServerTransport, type ServerLimits } from './transport/rpc-server-transport.js'

export interface RpcServerDeps {
  readonly peerService: PeerService
  readonly nodeApi: NodeApi
  readonly meshService: MeshService
  /** Null: plain HTTP, and whoever calls is taken for a member. For benchmarks. */
  readonly tls: MeshTls | null
  readonly logger: Logger
  readonly budgets: Budgets
  readonly audit: Audit
  readonly metrics?: Metrics
}

export interface RpcServerOptions {
  readonly host: string
  /** 0 takes any free one. */
  readonly port: number
  /** The operator's token: whoever holds it may operate this node. */
  readonly operatorToken: string
  readonly limits?: Partial<RpcServerLimits>
}

export interface RpcServerLimits extends ServerLimits {
  /** Requests that are carried out at once; beyond this, callers get BUSY. Urgent ones may go to twice that. */
  readonly maxConcurrent: number
  /** The part of these for unknown callers, who may join. */
  readonly maxConcurrentStrangers: number
  /** How long `stop` waits for them. */
  readonly drainMs: number
}

export const DEFAULT_SERVER_LIMITS: RpcServerLimits = {
  maxBodyBytes: 8 * 1024 * 1024,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxConnections: 1_024,
  maxStrangers: 256,
  maxStrangerBytes: 8 * 1024 * 1024,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 15_000,
  keepAliveTimeoutMs: 20_000,
  idleTimeoutMs: 60_000,
  maxConcurrent: 512,
  maxConcurrentStrangers: 16,
  drainMs: 2_000,
}

/** Serves the node's RPCs to its peers and its operator. Answers whatever arrives, and never throws because of it. */
export class RpcServer {
  readonly #deps: RpcServerDeps
  readonly #options: RpcServerOptions
  readonly #limits: RpcServerLimits
  readonly #rpcs: ReadonlyMap<string, BoundRpc>
  readonly #token: Buffer
  readonly #seconds = new Map<string, Histogram>()
  #running = 0
  #strangers = 0
  #transport: RpcServerTransport | null = null
  #address: { host: string; port: number } | null = null
  #stopped: Promise<void> | null = null

  constructor(deps: RpcServerDeps, options: RpcServerOptions) {
    this.#deps = deps
    this.#options = options
    this.#limits = { ...DEFAULT_SERVER_LIMITS, ...options.limits }
    this.#rpcs = rpcTable({ peer: deps.peerService, operator: deps.nodeApi, mesh: deps.meshService })
    this.#token = digest(options.operatorToken)
  }

  /** Where it listens; rejects with `ListenError`. Idempotent. */
  async start(): Promise<{ host: string; port: number }> {
    if (this.#address) return this.#address
    const { host, port } = this.#options
    const peer = new RpcServerPeer(null, {
      limits: this.#limits,
      budgets: this.#deps.budgets,
      logger: this.#deps.logger,
      tls: this.#deps.tls,
      dispatch: (rpc: string, payload: unknown, from: RequestOrigin) => this.#dispatch(rpc, payload, from),
    })
    peer.init()
    const transport = peer.transport('server')
    this.#transport = transport
    this.#stopped = null
    transport.listen({ port, host })
    const server = transport.socket
    if (!server) throw new Error('the server has no socket')
    await new Promise<void>((resolve, reject) => {
      server.once('listening', resolve)
      server.once('error', (cause) => {
        this.#transport = null
        reject(listenError('serve RPC', host, port, cause))
      })
    })
    server.on('error', (err) => this.#deps.logger.error({ err }, 'the RPC server reports an error'))
    this.#address = { host, port: (server.address() as AddressInfo).port }
    return this.#address
  }

  /** Takes no new requests, waits `drainMs` for those under way, then cuts the connections. Idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    const transport = this.#transport
    const server = transport?.socket
    this.#transport = null
    this.#address = null
    if (!transport || !server?.listening) return
    transport.draining = true
    const closed = new Promise((resolve) => {
      server.close(resolve)
    })
    server.closeIdleConnections()
    const cut = setTimeout(() => server.closeAllConnections(), this.#limits.drainMs)
    await closed
    clearTimeout(cut)
    transport.socket = null
    transport.stop()
  }

  async #dispatch(name: string, payload: unknown, from: RequestOrigin): Promise<AnswerPayload> {
    if (!this.#transport) return failure('STOPPING', 'this node is stopping', { next: 'ask another one' })
    const rpc = this.#rpcs.get(name)
    if (!rpc) {
      const next = 'check the name; the node may be of another version'
      return failure('UNKNOWN_RPC', 'this node has no RPC of that name', { next })
    }
    const request = requestPayloadSchema.safeParse(payload)
    if (!request.success) {
      const next = 'send {params: {...}}, with a token where the RPC needs one'
      return failure('INVALID_INPUT', 'the payload must be an object with params', { next })
    }
    const { admission } = from
    const caller = this.#callerOf(admission, request.data.token)
    if (caller.kind === 'operator') from.vouch()
    const refusal = this.#refuse(rpc, caller, admission)
    if (refusal) {
      this.#record(rpc, { caller, from, params: null }, refusal)
      return refusal
    }
    const { maxConcurrent, maxConcurrentStrangers } = this.#limits
    const isStranger = caller.kind === 'nobody' && this.#deps.tls !== null
    if (
      this.#running >= (rpc.urgent ? 2 * maxConcurrent : maxConcurrent) ||
      (isStranger && this.#strangers >= maxConcurrentStrangers)
    ) {
      return failure('BUSY', 'too many requests at once', { next: 'try again in a moment' })
    }
    this.#running += 1
    const { requestIds } = request.data
    if (isStranger) this.#strangers += 1
    const startedAt = performance.now()
    let answer: AnswerPayload
    try {
      answer = { ok: true, result: (await rpc.call(request.data.params, caller, requestIds)) ?? null }
    } catch (error) {
      answer = this.#failed(name, error, requestIds)
    }
    this.#record(rpc, { caller, from, params: request.data.params }, answer)
    this.#running -= 1
    this.#measure(name, performance.now() - startedAt, answer)
    if (isStranger) this.#strangers -= 1
    if (!answer.ok || !rpc.routine) {
      const ms = Math.round((performance.now() - startedAt) * 10) / 10
      this.#deps.logger.trace(
        { rpc: name, outcome: answer.ok ? 'ok' : answer.error.code, ms, ...loggedIds(requestIds) },
        'served',
      )
    }
    return answer
  }

  #record(
    rpc: BoundRpc,
    { caller, from, params }: { caller: RpcCaller; from: RequestOrigin; params: unknown },
    answer: AnswerPayload,
  ): void {
    const acts = rpc.acts(params, answer.ok ? { result: answer.result } : { code: answer.error.code })
    if (acts.length === 0) return
    const by = callerName(caller)
    for (const { who = by, about, ...act } of acts) {
      const speaks = who === by || by === null ? about : `by ${by}${about === undefined ? '' : `, ${about}`}`
      this.#deps.audit.record({ ...act, via: 'rpc', from: from.address, who, about: speaks })
    }
  }

  #callerOf(admission: Admission | null, token: string | undefined): RpcCaller {
    if (this.#isOperator(token)) return { kind: 'operator' }
    if (admission?.ok) return { kind: 'member', nodeId: admission.nodeId, role: admission.role }
    return { kind: 'nobody' }
  }

  /** Why the caller may not call this RPC; null if it may. */
  #refuse({ roles, byToken }: BoundRpc, caller: RpcCaller, admission: Admission | null): AnswerPayload | null {
    if (roles === 'anybody' || (byToken && caller.kind === 'operator')) return null
    if (caller.kind === 'member' && roles.includes(caller.role)) return null
    if (this.#deps.tls === null && !byToken) return null
    if (admission?.ok === false && !byToken) return failure(admission.code, admission.message)
    const need = byToken ? "the token of the node's operator, or the role operator" : `the role ${orOf(roles)}`
    const who = caller.kind === 'member' ? `a member with the role ${caller.role} calls` : 'nobody known calls'
    const next = byToken
      ? "use the token in the file operator.token in the node's data directory"
      : 'become a member of the mesh: `vendue mesh join TOKEN`'
    return failure('FORBIDDEN', `this needs ${need}; ${who}`, { next })
  }

  #isOperator(token: string | undefined): boolean {
    return token !== undefined && timingSafeEqual(digest(token), this.#token)
  }

  #measure(rpc: string, ms: number, answer: AnswerPayload): void {
    const { metrics = NO_METRICS } = this.#deps
    let seconds = this.#seconds.get(rpc)
    if (seconds === undefined) {
      seconds = metrics.seconds('vendue_rpc_seconds', 'Requests of peers and operators, by RPC.', { rpc })
      this.#seconds.set(rpc, seconds)
    }
    seconds.observe(ms / 1_000)
    if (answer.ok) return
    const { code } = answer.error
    metrics.counter('vendue_rpc_failures_total', 'Those that were answered with an error.', { rpc, code }).inc()
  }

  #failed(rpc: string, error: unknown, requestIds: RequestIds | undefined): AnswerPayload {
    const known = toWireError(error)
    if (known) return { ok: false, error: known }
    const reference = randomBytes(4).toString('hex')
    this.#deps.logger.error({ err: error, rpc, reference, ...loggedIds(requestIds) }, 'an RPC failed')
    const next = `look for ${reference} in the node's log`
    return failure('INTERNAL', `the node failed to carry this out (reference ${reference})`, { next })
  }
}

class RpcServerPeer extends PeerRPCServer<RpcServerTransport> {
  override getTransportClass() {
    return RpcServerTransport
  }
}

function callerName(caller: RpcCaller): string | null {
  if (caller.kind === 'nobody') return null
  return caller.kind === 'member' ? caller.nodeId : 'operator'
}

function orOf(roles: readonly string[]): string {
  return roles.join(' or ')
}

/** Digests are of equal length, so that comparing them takes the same time for any token. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

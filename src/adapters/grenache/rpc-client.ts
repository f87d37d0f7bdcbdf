import { Agent } from 'node:http'
import { Agent as TlsAgent } from 'node:https'
import { PeerRPCClient } from 'grenache-nodejs-http'
import { invalidInput } from '../../application/log/invalid-input.js'
import { printable } from '../../domain/limits.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Access, Rpc } from './rpc/define-rpc.js'
import { answerPayloadSchema, loggedIds, type RequestIds, type RequestPayload, type WireError } from './rpc/wire.js'
import { ExchangeError } from './transport/exchange.js'
import type { ClientTls } from './transport/mesh-tls.js'
import { RpcClientTransport } from './transport/rpc-client-transport.js'

export interface RpcClientOptions {
  /** Gets a line for each call. */
  readonly logger?: Logger
  /** Without it, plain HTTP: for benchmarks. */
  readonly tls?: ClientTls
  /** Connections to one peer; further calls wait for one, within their time-out. */
  readonly maxSocketsPerPeer?: number
  readonly maxRequestBytes?: number
  readonly maxAnswerBytes?: number
}

export interface RpcCallOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
  readonly token?: string
  /** The node that must answer; another one is not sent anything. */
  readonly nodeId?: string | undefined
  /** Called with the node at the other end, before anything is sent. */
  readonly onPeer?: (nodeId: string) => void
  /** Of the requests that it is made for. */
  readonly requestIds?: RequestIds | undefined
}

const MAX_SOCKETS_PER_PEER = 16
const MAX_FREE_SOCKETS_PER_PEER = 4
/** Shorter than a server keeps idle connections, so that a request seldom meets one being closed. */
const IDLE_SOCKET_MS = 10_000
const MAX_REQUEST_BYTES = 8 * 1024 * 1024
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

/** The peer answered with an error. */
export class RemoteError extends PeerCallError {
  readonly field: string | undefined
  readonly next: string | undefined
  constructor(address: string, error: WireError) {
    // A peer that failed half-way cannot say what became of the request, so that is not a refusal.
    const answered = error.code !== 'INTERNAL'
    super(error.code, printable(error.message), { address, sent: true, answered })
    this.name = 'RemoteError'
    this.field = error.field === undefined ? undefined : printable(error.field)
    this.next = error.next === undefined ? undefined : printable(error.next)
  }
}

/**
 * Calls RPCs of nodes by their address, over connections that are kept open. Needs no Grape. Rejects with
 * `PeerCallError`, a `RemoteError` where the node answered with an error.
 */
export class RpcClient {
  readonly #options: RpcClientOptions
  #agent: Agent
  /** Of certificates that were replaced; calls may still be under way there. */
  readonly #oldAgents: Agent[] = []
  readonly #unlisten: (() => void) | undefined
  readonly #peer: RpcClientPeer
  readonly #logger: Logger | undefined
  #stopped = false

  constructor(options: RpcClientOptions = {}) {
    this.#logger = options.logger
    this.#options = options
    this.#agent = makeAgent(options)
    this.#unlisten = options.tls?.onReplaced?.(() => this.#renewAgent())
    this.#peer = new RpcClientPeer(null, {
      agent: () => this.#agent,
      tls: options.tls ?? null,
      maxRequestBytes: options.maxRequestBytes ?? MAX_REQUEST_BYTES,
      maxAnswerBytes: options.maxAnswerBytes ?? MAX_ANSWER_BYTES,
      // One transport is enough: the connections are the agent's.
      maxActiveDestTransports: 1,
    })
    this.#peer.init()
  }

  async call<A extends Access, Request, Result>(
    address: string,
    rpc: Rpc<A, Request, Result>,
    params: Request,
    options: RpcCallOptions,
  ): Promise<Result> {
    const startedAt = performance.now()
    const observe = (outcome: string) => {
      if (outcome === 'ok' && rpc.routine) return
      const ms = Math.round((performance.now() - startedAt) * 10) / 10
      this.#logger?.trace({ rpc: rpc.name, to: address, outcome, ms, ...loggedIds(options.requestIds) }, 'called')
    }
    try {
      const result = await this.#call(address, rpc, params, options)
      observe('ok')
      return result
    } catch (error) {
      observe(error instanceof PeerCallError ? error.code : 'failed')
      throw error
    }
  }

  async #call<A extends Access, Request, Result>(
    address: string,
    rpc: Rpc<A, Request, Result>,
    params: Request,
    options: RpcCallOptions,
  ): Promise<Result> {
    const { token, requestIds } = options
    const payload: RequestPayload = {
      ...(token === undefined ? {} : { token }),
      params,
      ...(requestIds === undefined ? {} : { requestIds }),
    }
    const answer = answerPayloadSchema.safeParse(await this.#request(address, rpc.name, payload, options))
    if (!answer.success) throw badAnswer(address, rpc.name, 'what came back is no answer of this protocol')
    if (!answer.data.ok) throw new RemoteError(address, answer.data.error)
    const result = rpc.result.safeParse(answer.data.result)
    if (result.success) return result.data
    throw badAnswer(address, rpc.name, invalidInput(result.error).message)
  }

  /** Ends the calls under way with code STOPPED and closes every connection. Idempotent. */
  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#peer.stop()
    this.#unlisten?.()
    for (const agent of [this.#agent, ...this.#oldAgents]) agent.destroy()
  }

  /** Idle connections to one address may be of a revoked member. */
  #renewAgent(): void {
    this.#oldAgents.push(this.#agent)
    this.#oldAgents.splice(0, this.#oldAgents.length - MAX_OLD_AGENTS).forEach((agent) => {
      agent.destroy()
    })
    this.#agent = makeAgent(this.#options)
  }

  #request(address: string, rpc: string, payload: RequestPayload, options: RpcCallOptions): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) {
        return reject(callError(address, rpc, new ExchangeError('STOPPED', 'this node is stopping', false)))
      }
      const checkPeer = (nodeId: string) => {
        if (options.nodeId !== undefined && nodeId !== options.nodeId) throw notThePeer(options.nodeId)
        options.onPeer?.(nodeId)
      }
      const opts = { timeout: options.timeoutMs, signal: options.signal, checkPeer }
      this.#peer.transport(address).request(rpc, payload, opts, (error, answer) => {
        if (error) reject(callError(address, rpc, error))
        else resolve(answer)
      })
    })
  }
}

/** Renewals are months apart; more than this at once are a test's. */
const MAX_OLD_AGENTS = 4

function makeAgent({ tls, maxSocketsPerPeer }: RpcClientOptions): Agent {
  const options = {
    keepAlive: true,
    maxSockets: maxSocketsPerPeer ?? MAX_SOCKETS_PER_PEER,
    maxFreeSockets: MAX_FREE_SOCKETS_PER_PEER,
    scheduling: 'lifo' as const,
    timeout: IDLE_SOCKET_MS,
    noDelay: true,
  }
  return tls ? new TlsAgent({ ...options, ...tls.connectOptions() }) : new Agent(options)
}

function notThePeer(nodeId: string): ExchangeError {
  return new ExchangeError('NOT_THE_PEER', `another node than ${nodeId} is there`, false)
}

class RpcClientPeer extends PeerRPCClient<RpcClientTransport> {
  override getTransportClass() {
    return RpcClientTransport
  }

  override init(): void {
    super.init()
    // The pool's own look at its transports; it alone should not keep the process alive.
    this.tpool._monitorItv.unref()
  }
}

function callError(address: string, rpc: string, cause: Error): PeerCallError {
  const { code, sent } = cause instanceof ExchangeError ? cause : { code: 'CALL_FAILED', sent: true }
  return new PeerCallError(code, `${rpc} at ${printable(address)}: ${cause.message}`, {
    address,
    sent,
    answered: false,
    cause,
  })
}

function badAnswer(address: string, rpc: string, why: string): PeerCallError {
  return new PeerCallError('BAD_ANSWER', `${rpc} at ${printable(address)}: ${why}`, {
    address,
    sent: true,
    answered: false,
  })
}

import type { Agent } from 'node:http'
import TransportRPCClient, { type GrenacheRequest } from 'grenache-nodejs-http/lib/TransportRPCClient.js'
import { parseAddress } from './address.js'
import { type Exchange, ExchangeError, startExchange } from './exchange.js'
import { ANSWER_JSON, parseJson } from './json-text.js'
import type { ClientTls } from './mesh-tls.js'

export interface ClientTransportConf {
  /** "host:port" */
  readonly dest: string
  /** The one for new connections. */
  readonly agent: () => Agent
  readonly tls: ClientTls | null
  readonly maxRequestBytes: number
  readonly maxAnswerBytes: number
}

export interface ClientRequestOpts {
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
  /** See `ExchangeOptions`. */
  readonly checkPeer?: ((nodeId: string) => void) | undefined
}

/** A transport without requests for this long leaves the pool. */
const UNUSED_MS = 60_000

/**
 * Grenache's HTTP client with its sending replaced: the base class opens a connection for each request, takes
 * answers of any size, follows redirects, and distinguishes failures only by their text.
 */
export class RpcClientTransport extends TransportRPCClient<ClientRequestOpts> {
  readonly #conf: ClientTransportConf
  readonly #exchanges = new Set<Exchange>()
  #lastUsedAt = performance.now()

  constructor(peer: object, conf: ClientTransportConf) {
    super(peer, conf)
    this.#conf = conf
  }

  override sendRequest({ rid, key, payload, opts }: GrenacheRequest<ClientRequestOpts>): void {
    this.#lastUsedAt = performance.now()
    this.#exchange(this.format([rid, key, payload]), rid, opts).then(
      (answer) => this.handleReply(rid, null, answer),
      (error: Error) => this.handleReply(rid, error),
    )
  }

  async #exchange(text: string, rid: string, opts: ClientRequestOpts): Promise<unknown> {
    const { agent, tls, dest, maxRequestBytes, maxAnswerBytes } = this.#conf
    const target = parseAddress(dest)
    if (!target) throw new ExchangeError('BAD_ADDRESS', 'an address is host:port', false)
    const body = Buffer.from(text)
    if (body.length > maxRequestBytes) {
      const message = `the request has ${body.length} bytes, more than the ${maxRequestBytes} that a peer takes`
      throw new ExchangeError('REQUEST_TOO_LARGE', message, false)
    }
    if (opts.signal?.aborted) throw new ExchangeError('ABORTED', 'the call was given up', false)
    const { timeout: timeoutMs, signal, checkPeer } = opts
    const exchange = startExchange({
      agent: agent(),
      tls,
      ...target,
      body,
      timeoutMs,
      maxAnswerBytes,
      signal,
      checkPeer,
    })
    this.#exchanges.add(exchange)
    try {
      return payloadOf(await exchange.answer, rid)
    } finally {
      this.#exchanges.delete(exchange)
    }
  }

  /** The base class compares wall-clock times here, and would end requests when the clock is set. */
  override monitor(): void {
    if (this.#exchanges.size === 0 && performance.now() - this.#lastUsedAt > UNUSED_MS) this.stop()
  }

  override _stop(): void {
    for (const exchange of this.#exchanges) exchange.abort('STOPPED', 'this node is stopping')
  }
}

/** The payload of `[rid, null, payload]`; a refusal from before the request was read has no rid. */
function payloadOf({ status, body }: { status: number; body: Buffer }, rid: string): unknown {
  let message: unknown
  try {
    message = parseJson(body, ANSWER_JSON)
  } catch (cause) {
    throw new ExchangeError('BAD_ANSWER', `HTTP ${status} with no Grenache answer in it`, true, { cause })
  }
  const isOurs =
    Array.isArray(message) && message.length === 3 && (message[0] === rid || (status >= 400 && !message[0]))
  if (!isOurs) throw new ExchangeError('BAD_ANSWER', `HTTP ${status} with no answer to this request`, true)
  return (message as unknown[])[2]
}

import { type Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { ClientTls } from './mesh-tls.js'

export interface ExchangeOptions {
  /** Of `https` where there is `tls`. */
  readonly agent: Agent
  readonly tls: ClientTls | null
  /** Called before anything is sent, with the node that is there; throws `ExchangeError` where it is the wrong one. */
  readonly checkPeer?: ((nodeId: string) => void) | undefined
  readonly host: string
  readonly port: number
  readonly body: Buffer
  readonly timeoutMs: number
  readonly maxAnswerBytes: number
  readonly signal?: AbortSignal | undefined
}

export interface Exchange {
  readonly answer: Promise<{ status: number; body: Buffer }>
  /** The answer then rejects with this code. */
  abort(code: string, message: string): void
}

/** Why there is no answer. `sent` is false only where not a byte of the request can have arrived. */
export class ExchangeError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly sent: boolean,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'ExchangeError'
  }
}

/** One HTTP POST and its whole answer, by a deadline. Follows no redirect and retries nothing. */
export function startExchange(options: ExchangeOptions): Exchange {
  const { agent, tls, host, port, body, timeoutMs, maxAnswerBytes, signal } = options
  let fail: (code: string, message: string, cause?: unknown) => void = () => {}

  const answer = new Promise<{ status: number; body: Buffer }>((resolve, reject) => {
    const request = (tls ? httpsRequest : httpRequest)({
      agent,
      host,
      port,
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/json', 'content-length': body.length },
    })
    let sent = false
    const settle = (then: () => void) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      fail = () => {}
      then()
    }
    fail = (code, message, cause) =>
      settle(() => {
        reject(new ExchangeError(code, message, sent, cause === undefined ? undefined : { cause }))
        request.destroy()
      })
    const onAbort = () => fail('ABORTED', 'the call was given up', signal?.reason)
    const timer = setTimeout(
      () => fail('TIMEOUT', sent ? `no answer in ${timeoutMs} ms` : `no connection in ${timeoutMs} ms`),
      timeoutMs,
    )
    signal?.addEventListener('abort', onAbort)

    onConnected(request, tls, (socket) => {
      try {
        if (tls) checkPeer(socket as TLSSocket, tls, options)
      } catch (error) {
        const { code, message } = error as ExchangeError
        socket.destroy()
        return fail(code, message, error)
      }
      // A kept connection that the peer closes at this moment looks the same as one that broke after the request.
      sent = true
      request.end(body)
    })
    request.on('error', (error: Error & { code?: string }) => fail(...explain(error), error))
    request.once('response', (response) =>
      collect(response, maxAnswerBytes, fail, (received) =>
        settle(() => resolve({ status: response.statusCode ?? 0, body: received })),
      ),
    )
  })
  return { answer, abort: (code, message) => fail(code, message) }
}

/** Nothing is sent before the other end is identified. */
function onConnected(request: ClientRequest, tls: ClientTls | null, then: (socket: Socket) => void): void {
  request.once('socket', (socket) => {
    const event = tls ? 'secureConnect' : 'connect'
    const isPending = tls ? (socket as TLSSocket & { secureConnecting: boolean }).secureConnecting : socket.connecting
    if (isPending) socket.once(event, () => then(socket))
    else then(socket)
  })
}

function checkPeer(socket: TLSSocket, tls: ClientTls, { checkPeer: check }: ExchangeOptions): void {
  const peer = tls.identify(socket)
  if (!peer.ok) throw new ExchangeError(peer.code, peer.message, false)
  check?.(peer.nodeId)
}

function collect(
  response: IncomingMessage,
  maxBytes: number,
  fail: (code: string, message: string, cause?: unknown) => void,
  done: (body: Buffer) => void,
): void {
  const chunks: Buffer[] = []
  let size = 0
  response.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > maxBytes) fail('ANSWER_TOO_LARGE', `the answer is larger than ${maxBytes} bytes`)
    else chunks.push(chunk)
  })
  response.once('end', () => done(Buffer.concat(chunks, size)))
  response.once('error', (error) => fail('CONNECTION_LOST', 'the connection broke off in the answer', error))
}

const CAUSES: Readonly<Record<string, readonly [string, string]>> = {
  ECONNREFUSED: ['CONNECTION_REFUSED', 'nobody listens there'],
  ENOTFOUND: ['HOST_NOT_FOUND', 'that host name is not known'],
  EAI_AGAIN: ['HOST_NOT_FOUND', 'that host name cannot be looked up now'],
  EHOSTUNREACH: ['HOST_UNREACHABLE', 'there is no way to that host'],
  ENETUNREACH: ['HOST_UNREACHABLE', 'there is no way to that network'],
  ECONNRESET: ['CONNECTION_LOST', 'the connection broke off before the answer'],
  EPIPE: ['CONNECTION_LOST', 'the connection broke off before the answer'],
}

function explain(error: Error & { code?: string }): readonly [string, string] {
  const known = CAUSES[error.code ?? '']
  if (known) return known
  if (error.code === 'EPROTO' || error.code?.startsWith('ERR_SSL')) {
    return ['NO_TLS', 'what answers there does not speak the TLS of a mesh']
  }
  return error.code?.startsWith('HPE_')
    ? ['BAD_ANSWER', 'what answers there does not speak HTTP']
    : ['CALL_FAILED', error.message]
}

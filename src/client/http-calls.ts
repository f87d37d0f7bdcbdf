import { Backoff } from './backoff.js'
import { ClientError, GatewaysUnreachable, RequestRefused, UnknownOutcome } from './client-error.js'
import type { Gateways } from './gateways.js'
import type { Rejected } from './messages.js'
import type { Session } from './session.js'
import { type Answer, settle } from './settle.js'
import type { TimeSource } from './time-source.js'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpCallsDeps {
  readonly fetch: Fetch
  readonly gateways: Gateways
  readonly random: () => number
  readonly time: TimeSource
}

export interface CallOptions {
  /** How long to wait in total, including all retries. */
  readonly deadlineMs?: number
  readonly signal?: AbortSignal
}

export interface Call extends CallOptions {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: Readonly<Record<string, unknown>> | undefined
  /** An answer that is no JSON, as it is. */
  readonly as?: 'text'
  /** Instead of `body`: a file as it is. */
  readonly file?: { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> } | undefined
  /** How long one try through one gateway may take; 10 s otherwise. */
  readonly attemptMs?: number
  /** This gateway only; if left out, whichever serves. */
  readonly gateway?: string | undefined
  /** The command has no id, so it cannot be sent twice: a lost answer is reported, and not asked for again. */
  readonly once?: boolean
}

type Reply =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly body: unknown
      readonly retryAfterMs: number | undefined
    }
  | { readonly kind: 'failed'; readonly error: ClientError; readonly reached: boolean }

/** The time for one try through one gateway; after this, another is tried. */
const ATTEMPT_MS = 10_000
export const DEFAULT_DEADLINE_MS = 30_000
export const RETRY_BACKOFF = { baseMs: 100, maxMs: 5_000 }
const MAX_RETRY_AFTER_MS = 60_000

/** Refusals that may end soon; nothing was done. */
const PASSING = new Set(['BUSY', 'STOPPING', 'HOME_UNREACHABLE', 'NODE_UNREACHABLE', 'TOO_MANY_REQUESTS', 'DISK_FULL'])
/** Here; another gateway may serve. */
const OF_GATEWAY = new Set(['STOPPING', 'NODE_UNREACHABLE'])
/** Final refusals in spite of their status: somebody has to mend the cause, but nothing was done. */
const FINAL = new Set(['FORBIDDEN', 'AUCTION_HELD'])
/** Of them, nobody says whether it was before or after the command had gone on its way. */
const UNSURE = new Set(['NODE_UNREACHABLE', 'OUTCOME_UNKNOWN', 'LOG_IO_ERROR', 'INTERNAL', 'NOT_REPLICATED'])

/** Requests to whichever gateway serves, again until there is an answer or the deadline passes. */
export class HttpCalls {
  readonly #deps: HttpCallsDeps

  constructor(deps: HttpCallsDeps) {
    this.#deps = deps
  }

  /** That serves now. */
  get gateway(): string {
    return this.#deps.gateways.current
  }

  /** A question, or what may be said twice. Rejects with `RequestRefused` or `GatewaysUnreachable`. */
  ask<T>(call: Call, session: Session | null): Promise<T> {
    return this.#settle<T>(call, null, async (leftMs) => {
      const reply = await this.#send(call, leftMs, session)
      if (reply.kind === 'failed' && reply.reached && call.once) return { kind: 'refused', error: unclear(reply.error) }
      return reply.kind === 'failed' || reply.status < 300 ? this.#asked<T>(reply) : this.#refused(reply, false)
    })
  }

  /** A command: an outcome, accepted or rejected by a rule; `UnknownOutcome` past the deadline. */
  command<T>(commandId: string, call: Call, session: Session, accepted: (body: unknown) => T): Promise<T | Rejected> {
    return this.#settle<T | Rejected>(call, commandId, (leftMs) =>
      this.commandOnce(commandId, call, { session, leftMs, accepted }),
    )
  }

  /**
   * A command that only the gateway's own node can know again, such as an opening: once it may have been done there, it
   * is asked about there and nowhere else. The `UnknownOutcome` says where.
   */
  async commandInPlace<T>(
    commandId: string,
    call: Call,
    session: Session,
    accepted: (body: unknown) => T,
  ): Promise<T | Rejected> {
    let place = call.gateway
    let asked = ''
    try {
      return await this.#settle<T | Rejected>(call, commandId, async (leftMs) => {
        asked = place ?? this.#deps.gateways.current
        const there = { ...call, gateway: asked }
        const answer = await this.commandOnce(commandId, there, { session, leftMs, accepted })
        if (answer.kind === 'again' && answer.mayHaveActed) place = asked
        return answer
      })
    } catch (error) {
      if (error instanceof UnknownOutcome) throw new UnknownOutcome(commandId, error.cause, place ?? asked)
      throw error
    }
  }

  async commandOnce<T>(
    commandId: string,
    call: Call,
    { session, leftMs, accepted }: { session: Session; leftMs: number; accepted: (body: unknown) => T },
  ): Promise<Answer<T | Rejected>> {
    const reply = await this.#send(call, leftMs, session, { 'idempotency-key': commandId })
    if (reply.kind === 'failed') return { kind: 'again', error: reply.error, mayHaveActed: reply.reached }
    if (reply.status < 300) return { kind: 'outcome', value: accepted(reply.body) }
    const rejected = rejectedOf(reply.body)
    return rejected ? { kind: 'outcome', value: rejected } : this.#refused(reply, true)
  }

  #settle<T>(
    { deadlineMs = DEFAULT_DEADLINE_MS, signal }: CallOptions,
    commandId: string | null,
    ask: (leftMs: number) => Promise<Answer<T>>,
  ): Promise<T> {
    const { time, random } = this.#deps
    return settle(ask, { time, backoff: new Backoff(RETRY_BACKOFF, random) }, { commandId, deadlineMs, signal })
  }

  #asked<T>(reply: Reply): Answer<T> {
    return reply.kind === 'failed'
      ? { kind: 'again', error: reply.error, mayHaveActed: false }
      : { kind: 'outcome', value: reply.body as T }
  }

  #refused(
    { status, body, retryAfterMs }: Extract<Reply, { kind: 'answered' }>,
    acts: boolean,
  ): Exclude<Answer<never>, { kind: 'outcome' }> {
    const error = new RequestRefused((body ?? {}) as Record<string, unknown>, status)
    const known = PASSING.has(error.code) || FINAL.has(error.code)
    const unsure = UNSURE.has(error.code) || (status >= 500 && !known)
    if (!unsure && !PASSING.has(error.code)) return { kind: 'refused', error }
    return { kind: 'again', error, mayHaveActed: acts && unsure, afterMs: retryAfterMs }
  }

  async #send(
    call: Call,
    leftMs: number,
    session: Session | null,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    const first = await this.#once(call, leftMs, session, headers)
    if (first.kind === 'failed' || first.status !== 401 || session === null) return first
    try {
      return (await session.renew()) ? this.#once(call, leftMs, session, headers) : first
    } catch (error) {
      if (!(error instanceof ClientError)) throw error
      return { kind: 'failed', error, reached: false }
    }
  }

  async #once(
    { method, path, query = {}, body, file, signal, as, gateway: named, attemptMs = ATTEMPT_MS }: Call,
    leftMs: number,
    session: Session | null,
    headers: Readonly<Record<string, string>>,
  ): Promise<Reply> {
    const { fetch, gateways, time } = this.#deps
    const gateway = named ?? gateways.current
    const abort = new AbortController()
    const timer = time.after(Math.min(attemptMs, leftMs), () => abort.abort())
    const onAbort = () => abort.abort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      const who = (await session?.presented()) ?? { headers: {}, query: {} }
      const response = await fetch(gateway + path + searchOf({ ...query, ...who.query }), {
        method,
        headers: {
          ...(body && { 'content-type': 'application/json' }),
          ...(file && { 'content-type': file.type }),
          ...who.headers,
          ...headers,
        },
        body: body ? JSON.stringify(body) : (file?.bytes ?? null),
        signal: abort.signal,
      })
      const text = await response.text()
      const reply = {
        kind: 'answered',
        status: response.status,
        body: as === 'text' && response.ok ? text : parse(text),
        retryAfterMs: retryAfterOf(response),
      } as const
      if (OF_GATEWAY.has(codeOf(reply.body))) gateways.failed(gateway)
      return reply
    } catch (cause) {
      if (cause instanceof ClientError) return { kind: 'failed', error: cause, reached: false }
      gateways.failed(gateway)
      const why = abort.signal.aborted ? 'did not answer in time' : 'could not be reached, or the connection broke'
      const error = new GatewaysUnreachable(`${gateway} ${why}`, cause)
      return { kind: 'failed', error, reached: !neverConnected(cause) }
    } finally {
      timer.cancel()
      signal?.removeEventListener('abort', onAbort)
    }
  }
}

function searchOf(query: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

function unclear(cause: ClientError): ClientError {
  const next = 'look whether it was done before you ask again'
  return new ClientError('OUTCOME_UNKNOWN', `it is unknown whether it was done: ${cause.message}`, {
    cause,
    next,
  })
}

/** A rule's no, which is the home's word on this very command; null for anything else. */
function rejectedOf(body: unknown): Rejected | null {
  const problem = (body ?? {}) as Record<string, unknown>
  const { command_id, code, detail } = problem
  if (typeof command_id !== 'string' || typeof code !== 'string' || UNSURE.has(code)) return null
  const text = (value: unknown) => (typeof value === 'string' ? value : null)
  return {
    status: 'rejected',
    command_id,
    code,
    reason: text(detail) ?? code,
    next: text(problem.next),
    minimum: text(problem.minimum),
    price: text(problem.price),
    currency: text(problem.currency),
  }
}

function codeOf(body: unknown): string {
  return String((body as { code?: unknown } | null)?.code ?? '')
}

function parse(text: string): unknown {
  try {
    return text === '' ? null : JSON.parse(text)
  } catch {
    return { detail: text.slice(0, 200) }
  }
}

function retryAfterOf(response: Response): number | undefined {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  return seconds >= 0 ? Math.min(MAX_RETRY_AFTER_MS, seconds * 1_000) : undefined
}

/** Node says why a request failed; browsers do not, so there it may have arrived. */
function neverConnected(error: unknown): boolean {
  const code = (error as { cause?: { code?: unknown } } | null)?.cause?.code
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN'
}

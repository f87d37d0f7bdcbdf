import { AccountError } from '../../application/accounts/account-error.js'
import { GatewayRefusal, type RefusalInfo } from '../../application/gateway/gateway-refusal.js'
import type { Json } from '../../application/gateway/json-shapes.js'
import { rejectionJson } from '../../application/gateway/outcome-shapes.js'
import { timeText } from '../../application/log/time-text.js'
import type { Currency } from '../../domain/currency.js'
import { CallerError } from '../../ports/accounts/caller.js'
import { MESH_ERROR_CODES } from '../../ports/members/mesh-error.js'
import { NodeError, type NodeErrorCode } from '../../ports/node/node-error.js'
import { ConsumerStoreError } from '../../ports/store/consumer-store.js'
import type { Rejected } from '../../ports/store/outcome-repository.js'

import { ERROR_CODES, type ErrorCodeRow } from '../error-codes.js'

/** An answer of RFC 9457: `code` is stable, `field` names the offending input, `next` says what to do. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly field?: string
  readonly next?: string
  /** What the code brings with it, such as `minimum`. */
  readonly [key: string]: Json | undefined
}

/** What is wrong with one field: "must be ...". */
export interface FieldProblem {
  readonly field: string
  readonly rule: string
}

const MAX_ERRORS = 10
export const PROBLEM_TYPE = 'application/problem+json'

/** A request that the HTTP server itself refuses, with a status of its own. */
export class RequestError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly info: RefusalInfo = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'RequestError'
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable',
  408: 'Request timeout',
  409: 'Refused by a rule',
  413: 'Too large',
  414: 'Address too long',
  415: 'Unsupported media type',
  422: 'Not valid',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  502: 'The node refused the gateway',
  503: 'Not available now',
  504: 'Outcome unknown',
  507: 'Disk full',
}

/** A node that refuses its gateway: nothing that the gateway's caller could mend. */
const NODE_REFUSES = 502
const REFUSES_GATEWAY: ReadonlySet<NodeErrorCode> = new Set(['FORBIDDEN', ...MESH_ERROR_CODES])
const NODE_FORBIDS = 'report this to whoever runs this gateway: its operator token is not that of its node'

export interface ProblemAnswer {
  readonly problem: Problem
  readonly retryAfterSeconds: number | null
}

/** What an error says to the caller; null for one that no input has caused: that is logged, and its text kept back. */
export function problemOf(error: unknown): ProblemAnswer | null {
  if (error instanceof RequestError || error instanceof GatewayRefusal) {
    const status = error instanceof RequestError ? error.status : ERROR_CODES[error.code].status
    const { field, next, retryAfterSeconds, more } = error.info
    return answer(status, error.code, error.message, { ...more, field, next }, retryAfterSeconds)
  }
  if (error instanceof NodeError) {
    const { code, message, field } = error
    if (code === 'INTERNAL') return null
    if (REFUSES_GATEWAY.has(code)) {
      const next = code === 'FORBIDDEN' ? NODE_FORBIDS : error.next
      return answer(NODE_REFUSES, code, message, { field, next })
    }
    const { status, next = error.next } = ERROR_CODES[code]
    return answer(status, code, message, { field, next })
  }
  if (isLimitError(error)) {
    const { code, message, limit, next, retryAfterSeconds } = error
    return answer(ERROR_CODES.TOO_MANY_REQUESTS.status, code, message, { limit, next }, retryAfterSeconds)
  }
  if (error instanceof CallerError)
    return answer(ERROR_CODES[error.code].status, error.code, error.message, { next: error.next })
  if (error instanceof AccountError) {
    const { code, message, next, field, problems } = error
    return answer(ERROR_CODES[code].status, code, message, { field, ...errorsOf(problems), next })
  }
  if (error instanceof ConsumerStoreError) {
    // Where the database is concerns nobody but whoever runs the gateway.
    const next = 'try later; if this stays, report it to whoever runs this gateway'
    return answer(ERROR_CODES[error.code].status, error.code, 'the statistics cannot be read now', { next })
  }
  return storeProblem(error)
}

/** What else is wrong with the input, where `field` is not all of it. */
export function errorsOf(problems: readonly FieldProblem[]): { readonly errors?: Json } {
  if (problems.length < 2) return {}
  return { errors: problems.slice(0, MAX_ERRORS).map(({ field, rule }) => ({ field, rule })) }
}

/** Errors of the gateway's own store and its helpers, recognised by their codes, which are not ours. */
function storeProblem(error: unknown): ProblemAnswer | null {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'BUSY':
    case 'SQLITE_BUSY': {
      const next = 'try again in a moment'
      return answer(ERROR_CODES.BUSY.status, 'BUSY', 'too much at once; nothing was done', { next })
    }
    case 'SQLITE_FULL': {
      const detail = "the gateway's disk is full; nothing was done"
      return answer(ERROR_CODES.DISK_FULL.status, 'DISK_FULL', detail, { next: 'try later' })
    }
    default:
      return null
  }
}

/** A limit that was reached, recognised by its shape: limits are counted elsewhere. */
function isLimitError(
  error: unknown,
): error is Error & { code: string; limit: string; next: string; retryAfterSeconds: number } {
  const { code, limit, retryAfterSeconds } = (error ?? {}) as Record<string, unknown>
  return (
    error instanceof Error &&
    code === 'TOO_MANY_REQUESTS' &&
    typeof limit === 'string' &&
    typeof retryAfterSeconds === 'number'
  )
}

/** A command refused by a rule. */
export function rejectionProblem(outcome: Rejected, currency: Currency | null): Problem {
  const { code, message, next, ...data } = rejectionJson(outcome.rejection, currency)
  const { status } = ERROR_CODES[outcome.rejection.code]
  const ids = { command_id: outcome.commandId, at: timeText(outcome.at) }
  return answer(status, String(code), String(message), { ...data, ...ids, next: String(next) }).problem
}

export const INTERNAL: Problem = answer(500, 'INTERNAL', 'the gateway made a mistake; it has been logged', {
  next: 'try again; if this stays, report it to whoever runs this gateway',
}).problem

function answer(
  status: number,
  code: string,
  detail: string,
  more: Readonly<Record<string, Json | undefined>>,
  retryAfterSeconds = rowOf(code)?.retryAfterSeconds,
): ProblemAnswer {
  const said = Object.entries(more).filter(([, value]) => value !== undefined)
  const title = TITLES[status] ?? 'Error'
  const problem: Problem = { type: `urn:vendue:error:${code}`, title, status, detail, code }
  return {
    problem: { ...problem, ...Object.fromEntries(said) },
    retryAfterSeconds: retryAfterSeconds ?? null,
  }
}

/** Of codes that only HTTP knows there is none. */
function rowOf(code: string): ErrorCodeRow | undefined {
  return Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as keyof typeof ERROR_CODES] : undefined
}

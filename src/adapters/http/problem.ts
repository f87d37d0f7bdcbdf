import { AccountError, type AccountErrorCode } from '../../application/accounts/account-error.js'
import {
  GatewayRefusal,
  type GatewayRefusalCode,
  type RefusalInfo,
} from '../../application/gateway/gateway-refusal.js'
import type { Json } from '../../application/gateway/json-shapes.js'
import { rejectionJson } from '../../application/gateway/outcome-shapes.js'
import { timeText } from '../../application/log/time-text.js'
import type { Currency } from '../../domain/currency.js'
import type { RejectionCode } from '../../domain/rejection.js'
import { CallerError, type CallerErrorCode } from '../../ports/accounts/caller.js'
import { NodeError, type NodeErrorCode } from '../../ports/node/node-api.js'
import type { Rejected } from '../../ports/store/outcome-repository.js'

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

/** Codes of the mesh's own admission (502) are not here: they concern the gateway's node, and no caller. */
const NODE_STATUS: Partial<Record<NodeErrorCode, number>> = {
  INVALID_INPUT: 400,
  AUCTION_NOT_FOUND: 404,
  AUCTION_AMBIGUOUS: 409,
  HOME_UNREACHABLE: 503,
  OUTCOME_UNKNOWN: 504,
  BUSY: 503,
  DISK_FULL: 507,
  NOT_HOME: 503,
  NOT_MOVED: 409,
  TOO_FEW_REPLICAS: 503,
  NOT_REPLICATED: 504,
  LOG_IO_ERROR: 503,
  // The gateway's own token is not the node's operator's: nothing that the caller could mend.
  FORBIDDEN: 502,
  NODE_UNREACHABLE: 503,
  STOPPING: 503,
  INTERNAL: 500,
}

const REFUSAL_STATUS: Readonly<Record<GatewayRefusalCode, number>> = {
  ACCOUNT_NEEDED: 409,
  INVALID_INPUT: 400,
  OUTCOME_UNKNOWN: 504,
  STOPPING: 503,
  TOO_MANY_SUBSCRIPTIONS: 429,
}

export const CALLER_STATUS: Readonly<Record<CallerErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  TOKEN_INVALID: 401,
  TOKEN_EXPIRED: 401,
  ACCOUNT_DISABLED: 403,
  FORBIDDEN: 403,
}

const ACCOUNT_STATUS: Readonly<Record<AccountErrorCode, number>> = {
  INVALID_INPUT: 400,
  NAME_TAKEN: 409,
  EMAIL_TAKEN: 409,
  REGISTRATION_CLOSED: 403,
  LOGIN_FAILED: 401,
  // Not 401: that would have clients refresh their token and try the same again.
  PASSWORD_WRONG: 403,
  ACCOUNT_DISABLED: 403,
  ACCOUNT_NOT_FOUND: 404,
  REFRESH_TOKEN_INVALID: 401,
  REFRESH_TOKEN_REUSED: 401,
  SCOPE_NOT_ALLOWED: 403,
  TOO_MANY_API_KEYS: 409,
  API_KEY_NOT_FOUND: 404,
}

/** Refusals that are not the state of the auction (409). */
const REJECTION_STATUS: Partial<Record<RejectionCode, number>> = {
  TERMS_INVALID: 422,
  COMMAND_ID_REUSED: 422,
  OWN_AUCTION: 403,
  NOT_SELLER: 403,
}

const RETRY_AFTER_SECONDS: Readonly<Record<string, number>> = {
  BUSY: 1,
  STOPPING: 2,
  HOME_UNREACHABLE: 5,
  NODE_UNREACHABLE: 5,
  LOG_IO_ERROR: 10,
  DISK_FULL: 60,
  NOT_HOME: 1,
  TOO_FEW_REPLICAS: 5,
}

/** What callers of the HTTP API can do; the node's own words speak of its command line. */
const NEXT: Partial<Record<NodeErrorCode, string>> = {
  AUCTION_NOT_FOUND: 'see /api/v1/auctions for the auctions that are known here',
  OUTCOME_UNKNOWN: 'ask again with the same Idempotency-Key (or bid_id): nothing is done twice',
  FORBIDDEN: 'tell who runs this gateway: its operator token is not that of its node',
  NODE_UNREACHABLE: 'try again: the gateway waits for its node',
}

export interface ProblemAnswer {
  readonly problem: Problem
  readonly retryAfterSeconds: number | null
}

/** What an error says to the caller; null for one that is nobody's input: that is logged, and its text kept back. */
export function problemOf(error: unknown): ProblemAnswer | null {
  if (error instanceof RequestError || error instanceof GatewayRefusal) {
    const status = error instanceof RequestError ? error.status : REFUSAL_STATUS[error.code]
    const { field, next, retryAfterSeconds, more } = error.info
    return answer(status, error.code, error.message, { ...more, field, next }, retryAfterSeconds)
  }
  if (error instanceof NodeError) {
    if (error.code === 'INTERNAL') return null
    const next = NEXT[error.code] ?? error.next
    return answer(NODE_STATUS[error.code] ?? 502, error.code, error.message, { field: error.field, next })
  }
  if (isLimitError(error)) {
    const { code, message, limit, next, retryAfterSeconds } = error
    return answer(429, code, message, { limit, next }, retryAfterSeconds)
  }
  if (error instanceof CallerError)
    return answer(CALLER_STATUS[error.code], error.code, error.message, { next: error.next })
  if (error instanceof AccountError) {
    const { code, message, next, field, problems } = error
    return answer(ACCOUNT_STATUS[code], code, message, { field, ...errorsOf(problems), next })
  }
  return storeProblem(error)
}

/** What else is wrong with the input, where `field` is not all of it. */
export function errorsOf(problems: readonly FieldProblem[]): { readonly errors?: Json } {
  if (problems.length < 2) return {}
  return { errors: problems.slice(0, MAX_ERRORS).map(({ field, rule }) => ({ field, rule })) }
}

/** Of the gateway's own store, and of what works for it: told by their codes, which are not ours. */
function storeProblem(error: unknown): ProblemAnswer | null {
  switch ((error as { code?: unknown } | null)?.code) {
    case 'BUSY':
    case 'SQLITE_BUSY': {
      const next = 'try again in a moment'
      return answer(NODE_STATUS.BUSY as number, 'BUSY', 'too much at once; nothing was done', { next })
    }
    case 'SQLITE_FULL': {
      const detail = "the gateway's disk is full; nothing was done"
      return answer(NODE_STATUS.DISK_FULL as number, 'DISK_FULL', detail, { next: 'try later' })
    }
    default:
      return null
  }
}

/** A limit that was reached, told by its shape: limits are counted elsewhere. */
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
  const status = REJECTION_STATUS[outcome.rejection.code] ?? 409
  const ids = { command_id: outcome.commandId, at: timeText(outcome.at) }
  return answer(status, String(code), String(message), { ...data, ...ids, next: String(next) }).problem
}

export const INTERNAL: Problem = answer(500, 'INTERNAL', 'the gateway made a mistake; it has been logged', {
  next: 'try again; tell who runs this gateway if it stays',
}).problem

function answer(
  status: number,
  code: string,
  detail: string,
  more: Readonly<Record<string, Json | undefined>>,
  retryAfterSeconds = RETRY_AFTER_SECONDS[code],
): ProblemAnswer {
  const said = Object.entries(more).filter(([, value]) => value !== undefined)
  const title = TITLES[status] ?? 'Error'
  const problem: Problem = { type: `urn:vendue:error:${code}`, title, status, detail, code }
  return {
    problem: { ...problem, ...Object.fromEntries(said) },
    retryAfterSeconds: retryAfterSeconds ?? null,
  }
}

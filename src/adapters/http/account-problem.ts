import type { FastifyReply, FastifyRequest } from 'fastify'
import { AccountError, type AccountErrorCode } from '../../application/accounts/account-error.js'
import { CallerError } from '../../ports/caller.js'
import { LimitError } from './limits.js'
import { CALLER_STATUS, PROBLEM_TYPE } from './problem.js'

/** RFC 9457, with our code, the field that is wrong, and what to do next. */
export interface AccountProblem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly field?: string
  readonly errors?: readonly { readonly field: string; readonly rule: string }[]
  readonly limit?: string
  readonly next?: string
}

export interface ProblemAnswer {
  readonly problem: AccountProblem
  readonly headers: Readonly<Record<string, string>>
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

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

const BUSY_RETRY_SECONDS = 3
const MAX_PROBLEMS = 10

/** The answer to an error of accounts, callers and limits; null for those of others. */
export function accountProblem(error: unknown): ProblemAnswer | null {
  if (error instanceof LimitError) {
    const { code, message, next, limit, retryAfterSeconds } = error
    return answer(429, { code, message, next }, { limit }, { 'retry-after': String(retryAfterSeconds) })
  }
  if (error instanceof AccountError) {
    const { code, problems, field } = error
    const more = {
      ...(field === undefined ? {} : { field }),
      ...(problems.length > 1 && { errors: problems }),
    }
    return answer(ACCOUNT_STATUS[code], error, more)
  }
  if (error instanceof CallerError) {
    const status = CALLER_STATUS[error.code]
    return answer(status, error, {}, status === 401 ? { 'www-authenticate': challenge(error.code) } : {})
  }
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'BUSY' || code === 'SQLITE_BUSY') {
    const busy = {
      code: 'BUSY',
      message: 'too much at once; nothing was done',
      next: 'try again in a moment',
    }
    return answer(503, busy, {}, { 'retry-after': String(BUSY_RETRY_SECONDS) })
  }
  if (code === 'SQLITE_FULL') {
    const full = {
      code: 'DISK_FULL',
      message: "the gateway's disk is full; nothing was done",
      next: 'try later',
    }
    return answer(503, full, {})
  }
  return null
}

/** An error handler for these routes: what is not about accounts is left to the one around them. */
export function sendAccountProblem(
  error: unknown,
  _request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const answered = accountProblem(error) ?? validationProblem(error)
  if (answered === null) throw error
  return send(reply, answered)
}

function send(reply: FastifyReply, { problem, headers }: ProblemAnswer): FastifyReply {
  return reply.code(problem.status).headers(headers).type(PROBLEM_TYPE).send(problem)
}

function validationProblem(error: unknown): ProblemAnswer | null {
  const { validation } = error as {
    validation?: readonly { instancePath?: string; message?: string }[]
  }
  if (validation === undefined) return null
  const problems = validation
    .slice(0, MAX_PROBLEMS)
    .map(({ instancePath = '', message = 'is not valid' }) => ({
      field: instancePath.replace(/^\//, '').replaceAll('/', '.'),
      rule: message,
    }))
  const first = problems[0] ?? { field: '', rule: 'is not valid' }
  const words = `${first.field || 'the body'}: ${first.rule}`
  const next = 'correct it and send it again'
  return accountProblem(new AccountError('INVALID_INPUT', words, { problems, next }))
}

function answer(
  status: number,
  { code, message, next }: { code: string; message: string; next?: string | undefined },
  more: Partial<AccountProblem> = {},
  headers: Readonly<Record<string, string>> = {},
): ProblemAnswer {
  const title = TITLES[status] ?? 'Error'
  return {
    problem: {
      ...{ type: `urn:vendue:error:${code}`, title, status, detail: message, code },
      ...more,
      ...(next === undefined ? {} : { next }),
    },
    headers,
  }
}

/** The value of WWW-Authenticate. */
export function challenge(code: string): string {
  return code === 'UNAUTHENTICATED' ? 'Bearer realm="vendue"' : 'Bearer realm="vendue", error="invalid_token"'
}

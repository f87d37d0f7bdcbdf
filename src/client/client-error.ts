interface ErrorInfo {
  readonly next?: string | null
  readonly cause?: unknown
}

/** The base of all errors of the client: `code` is stable, `next` says what to do. */
export class ClientError extends Error {
  readonly code: string
  readonly next: string | null

  constructor(code: string, message: string, { next = null, cause }: ErrorInfo = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.next = next
  }
}

/** A gateway refused the request itself; this attempt did nothing. A refused bid is no error, but an outcome. */
export class RequestRefused extends ClientError {
  /** Of HTTP. */
  readonly status: number
  /** The whole answer (RFC 9457), with what its code brings along. */
  readonly problem: Readonly<Record<string, unknown>>

  constructor(problem: Readonly<Record<string, unknown>>, status: number) {
    const text = (name: string) => (typeof problem[name] === 'string' ? (problem[name] as string) : null)
    super(text('code') ?? `HTTP_${status}`, text('detail') ?? `the gateway answered ${status}`, {
      next: text('next'),
    })
    this.status = status
    this.problem = problem
  }
}

/** No gateway answered in time. Of a command: none was reached at all, so nothing was done. */
export class GatewaysUnreachable extends ClientError {
  constructor(message: string, cause?: unknown) {
    super('GATEWAYS_UNREACHABLE', message, { cause, next: 'look whether the gateways run, and try again' })
  }
}

/** The outcome of a command is unknown: it may have been done, or not. Never a rejection. */
export class UnknownOutcome extends ClientError {
  /** Ask again with this id: nothing is done twice. */
  readonly commandId: string
  /** For an opening: the gateway to ask, since only its node can know of the auction. Null: any. */
  readonly gateway: string | null

  constructor(commandId: string, cause: unknown, gateway: string | null = null) {
    const because = cause instanceof Error ? `: ${cause.message}` : ''
    super('OUTCOME_UNKNOWN', `it is unknown what became of ${commandId}${because}`, {
      cause,
      next: 'ask again with the same id (bidId, commandId): nothing is done twice',
    })
    this.commandId = commandId
    this.gateway = gateway
  }
}

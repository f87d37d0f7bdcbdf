export const ACCOUNT_ERROR_CODES = [
  'INVALID_INPUT',
  'NAME_TAKEN',
  'EMAIL_TAKEN',
  'REGISTRATION_CLOSED',
  'LOGIN_FAILED',
  'PASSWORD_WRONG',
  'ACCOUNT_DISABLED',
  'ACCOUNT_NOT_FOUND',
  'REFRESH_TOKEN_INVALID',
  'REFRESH_TOKEN_REUSED',
  'SCOPE_NOT_ALLOWED',
  'TOO_MANY_API_KEYS',
  'API_KEY_NOT_FOUND',
] as const
export type AccountErrorCode = (typeof ACCOUNT_ERROR_CODES)[number]

export interface Problem {
  /** Of the input, in snake_case as it was sent; nested ones with dots. */
  readonly field: string
  /** "must be ..." */
  readonly rule: string
}

/** Why something could not be done with an account. `problems`: what is wrong with the input, the first first. */
export class AccountError extends Error {
  readonly next: string | undefined
  readonly problems: readonly Problem[]

  constructor(
    readonly code: AccountErrorCode,
    message: string,
    info: { next?: string; problems?: readonly Problem[]; cause?: unknown } = {},
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'AccountError'
    this.next = info.next
    this.problems = info.problems ?? []
  }

  get field(): string | undefined {
    return this.problems[0]?.field
  }
}

import { AccountError } from '../../../application/accounts/account-error.js'
import type { Json } from '../../../application/gateway/json-shapes.js'
import { NodeError } from '../../../ports/node/node-error.js'
import { SettingsError } from '../../system/settings-error.js'
import { UsageError } from '../parse/usage-error.js'
import { OutcomeUnknownError } from '../session/outcome-unknown.js'

/** Why a command could not be carried out. `ask_again`: the command that settles an unknown outcome. */
export function errorJson(error: unknown): Json {
  const { code, message, field, next, askAgain } = describeError(error)
  return {
    error: {
      code,
      message,
      ...(field === undefined ? {} : { field }),
      ...(next === undefined ? {} : { next }),
      ...(askAgain === undefined ? {} : { ask_again: askAgain }),
    },
  }
}

export interface ErrorDescription {
  readonly code: string
  readonly message: string
  readonly field?: string | undefined
  readonly next?: string | undefined
  readonly askAgain?: string | undefined
}

export function describeError(error: unknown): ErrorDescription {
  if (error instanceof NodeError || error instanceof UsageError || error instanceof AccountError) {
    const { code, message, field, next } = error
    return { code, message, field, next }
  }
  if (error instanceof SettingsError) {
    return { code: error.code, message: error.message, field: error.key ?? undefined, next: error.next }
  }
  if (error instanceof OutcomeUnknownError) {
    const { code, message, askAgain } = error
    return { code, message, askAgain }
  }
  const code = (error as { code?: unknown } | null)?.code
  return {
    code: typeof code === 'string' ? code : 'INTERNAL',
    message: error instanceof Error ? error.message : String(error),
  }
}

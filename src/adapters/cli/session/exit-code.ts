import { AccountError } from '../../../application/accounts/account-error.js'
import { NodeError } from '../../../ports/node/node-error.js'
import { ERROR_CODES } from '../../error-codes.js'
import { SettingsError } from '../../system/settings-error.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { UsageError } from '../parse/usage-error.js'
import { OutcomeUnknownError } from './outcome-unknown.js'

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof SettingsError) return EXIT.usage
  if (error instanceof AccountError) return EXIT.usage
  if (error instanceof OutcomeUnknownError) return EXIT.unknown
  return error instanceof NodeError ? EXIT[ERROR_CODES[error.code].exit] : EXIT.unreachable
}

import { AccountError } from '../../../application/accounts/account-error.js'
import { NodeError, type NodeErrorCode } from '../../../ports/node/node-api.js'
import { SettingsError } from '../../system/settings-error.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { UsageError } from '../parse/usage-error.js'
import { OutcomeUnknownError } from './outcome-unknown.js'

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof UsageError || error instanceof SettingsError) return EXIT.usage
  if (error instanceof AccountError) return EXIT.usage
  if (error instanceof OutcomeUnknownError) return EXIT.unknown
  return error instanceof NodeError ? exitCodeOfNodeError(error.code) : EXIT.unreachable
}

function exitCodeOfNodeError(code: NodeErrorCode): ExitCode {
  switch (code) {
    case 'INVALID_INPUT':
    case 'AUCTION_NOT_FOUND':
    case 'AUCTION_AMBIGUOUS':
    case 'NOT_HOME':
    case 'NOT_MOVED':
    case 'TOKEN_MALFORMED':
      return EXIT.usage
    case 'OUTCOME_UNKNOWN':
    case 'NOT_REPLICATED':
      return EXIT.unknown
    case 'HOME_UNREACHABLE':
    case 'TOO_FEW_REPLICAS':
    case 'BUSY':
    case 'DISK_FULL':
    case 'LOG_IO_ERROR':
    case 'FORBIDDEN':
    case 'NODE_UNREACHABLE':
    case 'STOPPING':
    case 'INTERNAL':
    case 'TOKEN_UNKNOWN':
    case 'TOKEN_USED':
    case 'TOKEN_EXPIRED':
    case 'CA_MISMATCH':
    case 'NOT_A_MEMBER':
    case 'MEMBER_REVOKED':
    case 'CERTIFICATE_EXPIRED':
    case 'NO_AUTHORITY':
    case 'OTHER_MESH':
    case 'NAME_TAKEN':
    case 'MEMBER_LOG_CONFLICT':
      return EXIT.unreachable
    default: {
      const unknown: never = code
      throw new Error(`unknown code ${String(unknown)}`)
    }
  }
}

import pg from 'pg'
import { SharedLogError, type SharedLogErrorCode } from '../../ports/store/shared-log.js'
import { hostText, type PostgresAddress, type PostgresHost } from './postgres-address.js'

/** The object exists already: another writer, or another node's migration, was first. */
export const UNIQUE_VIOLATION = '23505'
/** Nothing was done, and the same statement may succeed at once. */
const PASSING = new Set(['40001', '40P01', '55P03', '57014'])
/** The server does not take writes, or does not serve at all. */
const AWAY = /^(08|57P|25006|53300)/
const TLS_ERROR =
  /^(ERR_(TLS|SSL|OSSL)|CERT_|CRL_|DEPTH_ZERO|ERROR_IN_C|HOSTNAME_|INVALID_(CA|PURPOSE)|PATH_LENGTH|SELF_SIGNED|UNABLE_TO_)/

/** SQLSTATE; '' if the error is not PostgreSQL's. */
export function sqlState(error: unknown): string {
  return error instanceof pg.DatabaseError ? (error.code ?? '') : ''
}

/** Whether the server said that the statement did nothing and that it may help to try again. */
export function willPass(error: unknown): boolean {
  return PASSING.has(sqlState(error))
}

/**
 * Whether the connection is unusable. Its last statement may have been carried out all the same: perhaps only the
 * answer was lost.
 */
export function isLost(error: unknown): boolean {
  const state = sqlState(error)
  return state === '' ? !(error instanceof SharedLogError) : AWAY.test(state)
}

interface Place {
  readonly address: PostgresAddress
  readonly host: PostgresHost
}

/** An error that only an operator can correct, with a message that says how; null for an error that may pass. */
export function operatorError(error: unknown, { address, host }: Place): SharedLogError | null {
  const { user, database } = address
  const at = hostText(host)
  const make = (code: SharedLogErrorCode, text: string) => new SharedLogError(code, text, { cause: error })
  const said = error instanceof Error ? error.message : String(error)
  switch (sqlState(error)) {
    case '28P01':
    case '28000':
      return make(
        'LOG_CREDENTIALS',
        `PostgreSQL at ${at} does not let user "${user}" in (${said}); check the user and password of the shared log, and pg_hba.conf there`,
      )
    case '3D000':
      return make(
        'LOG_NO_DATABASE',
        `PostgreSQL at ${at} has no database "${database}"; create it (createdb ${database}), or correct the URL of the shared log`,
      )
    case '42501':
      return make(
        'LOG_NO_RIGHTS',
        `user "${user}" may not do that in database "${database}" at ${at} (${said}); make it the owner: ALTER DATABASE ${database} OWNER TO ${user}`,
      )
    case '53100':
      return make('LOG_FULL', `the disk of PostgreSQL at ${at} is full: nothing was stored; make room there`)
    case '42P01':
    case '42703':
    case '42804':
    case '3F000':
      return make(
        'LOG_FOREIGN',
        `schema "vendue" of database "${database}" at ${at} is not as Vendue made it (${said}); restore it from a backup, or use another database`,
      )
    case '58030':
    case 'XX001':
    case 'XX002':
      return make(
        'LOG_BROKEN',
        `PostgreSQL at ${at} cannot read or write its files (${said}); check its disk, or promote a standby`,
      )
    default:
      return isTlsError(error)
        ? make(
            'LOG_CERTIFICATE',
            `no safe connection to PostgreSQL at ${at} (${said}); check its certificate, the sslrootcert that it is checked by, and sslmode of the shared log's URL`,
          )
        : null
  }
}

function isTlsError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return TLS_ERROR.test((error as NodeJS.ErrnoException).code ?? '') || /SSL connection/.test(error.message)
}

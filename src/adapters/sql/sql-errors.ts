import { ClaimLostError, ConsumerStoreError, type ConsumerStoreErrorCode } from '../../ports/store/consumer-store.js'

const CODES: readonly (readonly [RegExp, ConsumerStoreErrorCode, string])[] = [
  [/^(SQLITE_FULL|53100|ENOSPC)$/, 'STATS_DB_FULL', 'make room there'],
  [/^(28P01|28000|3D000|42501)$/, 'STATS_DB_REFUSED', 'check the user, the password and the database in its URL'],
  [/^(SQLITE_(NOTADB|CORRUPT|READONLY|AUTH|PERM))/, 'STATS_DB_REFUSED', 'move the file away: a new one is made'],
  [/^(SQLITE_(BUSY|LOCKED|IOERR|CANTOPEN))/, 'STATS_DB_UNREACHABLE', 'check which process uses the file, and its disk'],
  [/^(08|57P|53300|E[A-Z]{3,})/, 'STATS_DB_UNREACHABLE', 'look at the server and the network'],
]

/** Explains what is wrong with the database and what to do; null for our own faults. */
export function consumerStoreError(error: unknown, place: string): ConsumerStoreError | null {
  if (!(error instanceof Error) || error instanceof ClaimLostError || error instanceof ConsumerStoreError) return null
  const { code } = error as { code?: unknown }
  const isTimeout = /timeout|terminated|not queryable/i.test(error.message)
  const [, known, next] = CODES.find(([pattern]) => typeof code === 'string' && pattern.test(code)) ?? []
  if (known === undefined && !isTimeout) return null
  const said = error.message || String(code)
  return new ConsumerStoreError(
    known ?? 'STATS_DB_UNREACHABLE',
    `the statistics in ${place} cannot be used (${said}); ${next ?? 'look at the server and the network'}`,
    { cause: error },
  )
}

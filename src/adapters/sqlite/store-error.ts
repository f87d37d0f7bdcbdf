export type StoreErrorCode =
  | 'DATA_DIR_UNWRITABLE'
  | 'DATA_DIR_NAME'
  | 'DATA_DIR_NOT_A_DIRECTORY'
  | 'DATA_DIR_IN_USE'
  | 'STORE_FOREIGN'
  | 'STORE_MISSING'
  | 'STORE_CORRUPT'
  | 'STORE_TOO_NEW'
  | 'STORE_TOO_OLD'
  | 'STORE_UNSAFE'
  | 'STORE_CLOSED'
  | 'STORE_REFUSED'

/** Why a data directory cannot be used, or a request to it not be met. The message says what to do. */
export class StoreError extends Error {
  constructor(
    readonly code: StoreErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options)
    this.name = 'StoreError'
  }
}

/** Whether nothing is wrong with the file: it is in use, or another version's. */
export function isSoundFile({ code }: StoreError): boolean {
  return code === 'STORE_TOO_NEW' || code === 'STORE_TOO_OLD' || code === 'DATA_DIR_IN_USE'
}

/** SQLite's own code ("SQLITE_FULL", "SQLITE_IOERR_WRITE", ...); '' for an error of another kind. */
export function sqliteCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' && code.startsWith('SQLITE_') ? code : ''
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function unwritable(path: string, cause: unknown): StoreError {
  return new StoreError(
    'DATA_DIR_UNWRITABLE',
    `cannot write to ${path} (${messageOf(cause)}); check its owner and permissions, or choose another data directory`,
    { cause },
  )
}

export function damagedMessage(path: string, what: string): string {
  return `${path} is damaged (${what}); stop the node and run \`vendue repair\`, or restore the data directory from a backup`
}

/** The error of opening or reading a store's file, in terms that help. */
export function storeErrorFrom(error: unknown, path: string): unknown {
  if (error instanceof StoreError) return error
  const code = sqliteCode(error)
  const options = { cause: error }
  if (code === 'SQLITE_NOTADB') {
    return new StoreError(
      'STORE_FOREIGN',
      `${path} is not a Vendue database; move it away or choose another data directory`,
      options,
    )
  }
  if (code.startsWith('SQLITE_CORRUPT')) {
    return new StoreError('STORE_CORRUPT', damagedMessage(path, messageOf(error)), options)
  }
  if (/^SQLITE_(CANTOPEN|READONLY|PERM)/.test(code)) return unwritable(path, error)
  if (code.startsWith('SQLITE_BUSY')) {
    return new StoreError('DATA_DIR_IN_USE', `${path} is locked by another program; close it and try again`, options)
  }
  return error
}

import { statSync } from 'node:fs'

interface Identity {
  readonly dev: number
  readonly ino: number
}

/**
 * Whether a database still lies where it was opened. An open file can be moved, deleted or replaced under its user:
 * SQLite goes on writing into what no start will ever find again. Two looks cost some microseconds, a disk sync a
 * hundred.
 */
export class FileWatch {
  readonly #files: { readonly path: string; readonly identity: Identity | null }[]

  /** The files that have to stay: the database, and its write-ahead log, which holds the newest commits. */
  constructor(path: string) {
    this.#files = [path, `${path}-wal`].map((file) => ({ path: file, identity: identityOf(file) }))
  }

  /** The first one that is not there any more, or not the same; null: all is well. */
  missing(): string | null {
    for (const { path, identity } of this.#files) {
      if (identity === null) continue
      const now = identityOf(path)
      if (now?.ino !== identity.ino || now.dev !== identity.dev) return path
    }
    return null
  }
}

function identityOf(path: string): Identity | null {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats === undefined ? null : { dev: stats.dev, ino: stats.ino }
}

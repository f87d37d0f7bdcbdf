import type { Database } from 'better-sqlite3'
import { StoreError } from './store-error.js'

/** What a database file of ours looks like. */
export interface Schema {
  /** Marks the file as ours, and as this kind of ours. */
  readonly applicationId: number
  /**
   * Schema versions, oldest first; `user_version` counts how many have been applied. Append only: a migration that
   * was released is never edited.
   */
  readonly migrations: readonly string[]
}

/** Refuses a file that is not ours or that a newer version wrote. Changes nothing. */
export function checkSchemaOwner(db: Database, { applicationId, migrations }: Schema): void {
  const found = db.pragma('application_id', { simple: true }) as number
  const version = db.pragma('user_version', { simple: true }) as number
  const objects = db.prepare<[], number>('SELECT count(*) FROM sqlite_schema').pluck().get() ?? 0
  const fresh = found === 0 && version === 0 && objects === 0
  if (!fresh && found !== applicationId) {
    throw new StoreError(
      'STORE_FOREIGN',
      `${db.name} is another program's database; move it away or choose another data directory`,
    )
  }
  if (version > migrations.length) {
    throw new StoreError(
      'STORE_TOO_NEW',
      `${db.name} was written by a newer Vendue (schema ${version}, this one knows ${migrations.length}); update Vendue`,
    )
  }
}

/** Brings the schema up to date, each step as a whole or not at all; several processes may do so at once. */
export function applyMigrations(db: Database, { applicationId, migrations }: Schema): void {
  const step = db.transaction(() => {
    // Read under the lock: another process may just have made this step.
    const version = db.pragma('user_version', { simple: true }) as number
    const migration = migrations[version]
    if (migration === undefined) return false
    db.exec(migration)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${version + 1}`)
    return true
  })
  while ((db.pragma('user_version', { simple: true }) as number) < migrations.length) {
    if (!step.immediate()) break
  }
}

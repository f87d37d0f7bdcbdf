import type { Database } from 'better-sqlite3'
import { StoreError } from './store-error.js'

/** What a database file of ours looks like. */
export interface Schema {
  /** Marks the file as ours, and as this kind of ours. */
  readonly applicationId: number
  /** Versions that were given up: files of theirs are refused. */
  readonly versionsBefore?: number
  /**
   * Schema versions after those, oldest first; `user_version` counts how many have been applied. Append only: a
   * migration that was released is never edited.
   */
  readonly migrations: readonly string[]
}

/** Refuses a file that is not ours, or that a version wrote which is too old or too new. Changes nothing. */
export function checkSchemaOwner(db: Database, schema: Schema): void {
  const { applicationId, versionsBefore = 0 } = schema
  const newest = newestOf(schema)
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
  if (!fresh && version <= versionsBefore && version > 0) {
    throw new StoreError(
      'STORE_TOO_OLD',
      `${db.name} was written by an earlier Vendue (schema ${version}), whose logs this one does not read; ` +
        'finish its auctions with that version, and start this one with another data directory',
    )
  }
  if (version > newest) {
    throw new StoreError(
      'STORE_TOO_NEW',
      `${db.name} was written by a newer Vendue (schema ${version}, this one knows ${newest}); update Vendue`,
    )
  }
}

/** Brings the schema up to date, each step as a whole or not at all; several processes may do so at once. */
export function applyMigrations(db: Database, schema: Schema): void {
  const { applicationId, versionsBefore = 0, migrations } = schema
  const newest = newestOf(schema)
  const step = db.transaction(() => {
    // Read under the lock: another process may just have made this step.
    const version = Math.max(versionsBefore, db.pragma('user_version', { simple: true }) as number)
    const migration = migrations[version - versionsBefore]
    if (migration === undefined) return false
    db.exec(migration)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${version + 1}`)
    return true
  })
  while ((db.pragma('user_version', { simple: true }) as number) < newest) {
    if (!step.immediate()) break
  }
}

function newestOf({ versionsBefore = 0, migrations }: Schema): number {
  return versionsBefore + migrations.length
}

import { join } from 'node:path'
import type { Database } from 'better-sqlite3'
import type { MemberLogEntry } from '../../ports/members/member.js'
import type { MembershipRepository, MeshMembership } from '../../ports/members/membership-repository.js'
import { openMeshFile } from './mesh-file.js'

export const MEMBERSHIP_FILE = 'mesh.db'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS memberships (
    mesh_name TEXT PRIMARY KEY,
    mesh_id TEXT NOT NULL,
    certificate TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS member_log (
    mesh_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    signature TEXT NOT NULL,
    PRIMARY KEY (mesh_id, seq)
  ) STRICT, WITHOUT ROWID;
`

const SELECT = 'SELECT mesh_id AS meshId, mesh_name AS meshName, certificate FROM memberships'

/** In a file of its own beside the auctions: joining a mesh neither waits for the node's store nor locks it. */
export class SqliteMembershipRepository implements MembershipRepository {
  readonly #db: Database

  private constructor(db: Database) {
    this.#db = db
  }

  static open(dataDir: string): SqliteMembershipRepository {
    return new SqliteMembershipRepository(openMeshFile(join(dataDir, MEMBERSHIP_FILE), SCHEMA))
  }

  all(): MeshMembership[] {
    return this.#db.prepare<[], MeshMembership>(`${SELECT} ORDER BY mesh_name`).all()
  }

  find(meshName: string): MeshMembership | null {
    return this.#db.prepare<[string], MeshMembership>(`${SELECT} WHERE mesh_name = ?`).get(meshName) ?? null
  }

  save({ meshId, meshName, certificate }: MeshMembership): void {
    this.#db.prepare('INSERT OR REPLACE INTO memberships VALUES (?, ?, ?)').run(meshName, meshId, certificate)
  }

  log(meshId: string): MemberLogEntry[] {
    return this.#db
      .prepare<[string], MemberLogEntry>('SELECT body, hash, signature FROM member_log WHERE mesh_id = ? ORDER BY seq')
      .all(meshId)
  }

  append(meshId: string, firstSeq: number, entries: readonly MemberLogEntry[]): void {
    const insert = this.#db.prepare('INSERT OR IGNORE INTO member_log VALUES (?, ?, ?, ?, ?)')
    const appendAll = this.#db.transaction(() => {
      entries.forEach(({ body, hash, signature }, i) => {
        insert.run(meshId, firstSeq + i, body, hash, signature)
      })
    })
    appendAll.immediate()
  }

  close(): void {
    this.#db.close()
  }
}

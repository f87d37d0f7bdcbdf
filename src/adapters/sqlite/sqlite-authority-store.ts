import type { Database } from 'better-sqlite3'
import type {
  AuthorityRecords,
  AuthorityStore,
  Invite,
  IssuedCertificate,
} from '../../ports/members/authority-store.js'
import type { CaKeys } from '../../ports/members/certificates.js'
import type { MemberLogEntry, MemberRole } from '../../ports/members/member.js'
import { openMeshFile } from './mesh-file.js'

export const AUTHORITY_FILE = 'authority.db'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS cas (
    id INTEGER PRIMARY KEY,
    public_key TEXT NOT NULL UNIQUE,
    certificate TEXT NOT NULL,
    private_key TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS member_log (
    seq INTEGER PRIMARY KEY,
    body TEXT NOT NULL,
    hash TEXT NOT NULL,
    signature TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS invites (
    secret_hash TEXT PRIMARY KEY,
    role TEXT NOT NULL,
    uses_left INTEGER NOT NULL,
    used_by TEXT NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS issued (
    node_id TEXT PRIMARY KEY,
    ca TEXT NOT NULL,
    not_after INTEGER NOT NULL
  ) STRICT;
`

interface InviteRow {
  readonly role: MemberRole
  readonly usesLeft: number
  readonly usedBy: string
  readonly expiresAt: number
}

export class SqliteAuthorityStore implements AuthorityStore {
  readonly #db: Database
  readonly #records: AuthorityRecords
  readonly #version: () => number

  private constructor(db: Database) {
    this.#db = db
    this.#records = recordsOf(db)
    const version = db.prepare<[], number>('SELECT coalesce(max(seq), 0) FROM member_log').pluck()
    this.#version = () => version.get() ?? 0
  }

  static open(path: string): SqliteAuthorityStore {
    return new SqliteAuthorityStore(openMeshFile(path, SCHEMA))
  }

  transact<T>(work: (records: AuthorityRecords) => T): T {
    return this.#db.transaction(() => work(this.#records)).immediate()
  }

  version(): number {
    return this.#version()
  }

  close(): void {
    this.#db.close()
  }
}

function recordsOf(db: Database): AuthorityRecords {
  const cas = db.prepare<[], CaKeys>(
    'SELECT public_key AS publicKey, certificate, private_key AS privateKey FROM cas ORDER BY id',
  )
  const addCa = db.prepare('INSERT INTO cas (public_key, certificate, private_key) VALUES (?, ?, ?)')
  const removeCa = db.prepare('DELETE FROM cas WHERE public_key = ?')
  const entries = db.prepare<[number], MemberLogEntry>(
    'SELECT body, hash, signature FROM member_log WHERE seq >= ? ORDER BY seq',
  )
  const append = db.prepare('INSERT INTO member_log (seq, body, hash, signature) VALUES (?, ?, ?, ?)')
  const invite = db.prepare<[string], InviteRow>(
    `SELECT role, uses_left AS usesLeft, used_by AS usedBy, expires_at AS expiresAt
     FROM invites WHERE secret_hash = ?`,
  )
  const saveInvite = db.prepare('INSERT OR REPLACE INTO invites VALUES (?, ?, ?, ?, ?)')
  const issued = db.prepare<[], IssuedCertificate>('SELECT node_id AS nodeId, ca, not_after AS notAfter FROM issued')
  const saveIssued = db.prepare('INSERT OR REPLACE INTO issued VALUES (?, ?, ?)')
  return {
    cas: () => cas.all(),
    addCa: (ca) => addCa.run(ca.publicKey, ca.certificate, ca.privateKey),
    removeCa: (publicKey) => removeCa.run(publicKey),
    entries: (fromSeq) => entries.all(fromSeq),
    append: (seq, { body, hash, signature }) => append.run(seq, body, hash, signature),
    invite(secretHash) {
      const row = invite.get(secretHash)
      return row ? { ...row, secretHash, usedBy: JSON.parse(row.usedBy) as string[] } : null
    },
    saveInvite: ({ secretHash, role, usesLeft, usedBy, expiresAt }: Invite) =>
      saveInvite.run(secretHash, role, usesLeft, JSON.stringify(usedBy), expiresAt),
    issued: () => issued.all(),
    saveIssued: ({ nodeId, ca, notAfter }) => saveIssued.run(nodeId, ca, notAfter),
  }
}

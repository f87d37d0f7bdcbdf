import type { Database, Statement, Transaction } from 'better-sqlite3'
import type { ApiKey, ApiKeyRepository } from '../../ports/accounts/api-key-repository.js'
import { SCOPES } from '../../ports/accounts/caller.js'

interface Row {
  readonly id: string
  readonly account_id: string
  readonly hash: string
  readonly label: string
  readonly scopes: string
  readonly created_at: number
  readonly expires_at: number | null
  readonly last_used_at: number | null
  readonly revoked_at: number | null
}

const COLUMNS = 'id, account_id, hash, label, scopes, created_at, expires_at, last_used_at, revoked_at'

export class SqliteApiKeyRepository implements ApiKeyRepository {
  readonly #create: Transaction<(key: ApiKey, maxUsable: number) => boolean>
  readonly #find: Statement<[string], Row>
  readonly #list: Statement<[string, number], Row>
  readonly #revoke: Statement<[number, string]>
  readonly #used: Statement<[number, string]>

  constructor(db: Database) {
    const insert = db.prepare(`INSERT INTO api_keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    const usable = db
      .prepare<[string, number], number>(
        `SELECT count(*) FROM api_keys
         WHERE account_id = ? AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?)`,
      )
      .pluck()
    this.#create = db.transaction((key, maxUsable) => {
      if ((usable.get(key.accountId, key.createdAt) ?? 0) >= maxUsable) return false
      const { id, accountId, hash, label, scopes, createdAt, expiresAt, lastUsedAt, revokedAt } = key
      insert.run(id, accountId, hash, label, scopes.join(' '), createdAt, expiresAt, lastUsedAt, revokedAt)
      return true
    })
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM api_keys WHERE id = ?`)
    this.#list = db.prepare(
      `SELECT ${COLUMNS} FROM api_keys WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`,
    )
    this.#revoke = db.prepare('UPDATE api_keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?')
    this.#used = db.prepare('UPDATE api_keys SET last_used_at = ? WHERE id = ?')
  }

  async create(key: ApiKey, maxUsable: number): Promise<'created' | 'too-many'> {
    return this.#create.immediate(key, maxUsable) ? 'created' : 'too-many'
  }

  async find(id: string): Promise<ApiKey | null> {
    const row = this.#find.get(id)
    return row ? keyOf(row) : null
  }

  async list(accountId: string, limit: number): Promise<readonly ApiKey[]> {
    return this.#list.all(accountId, limit).map(keyOf)
  }

  async revoke(id: string, now: number): Promise<boolean> {
    return this.#revoke.run(now, id).changes === 1
  }

  async used(id: string, now: number): Promise<void> {
    this.#used.run(now, id)
  }
}

function keyOf(row: Row): ApiKey {
  const names = row.scopes.split(' ')
  return {
    id: row.id,
    accountId: row.account_id,
    hash: row.hash,
    label: row.label,
    scopes: SCOPES.filter((scope) => names.includes(scope)),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  }
}

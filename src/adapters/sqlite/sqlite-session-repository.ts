import type { Database, Statement, Transaction } from 'better-sqlite3'
import type { Session, SessionRepository } from '../../ports/accounts/session-repository.js'
import { RememberedRows } from './remembered-rows.js'

interface Row {
  readonly id: string
  readonly account_id: string
  readonly token_hash: string
  readonly previous_hash: string | null
  readonly rotated_at: number
  readonly created_at: number
  readonly expires_at: number
}

const COLUMNS = 'id, account_id, token_hash, previous_hash, rotated_at, created_at, expires_at'

export class SqliteSessionRepository implements SessionRepository {
  readonly #create: Transaction<(session: Session, keep: number) => void>
  readonly #find: Statement<[string], Row>
  readonly #rotate: Statement<unknown[]>
  readonly #remove: Statement<[string]>
  readonly #removeOf: Statement<[string]>
  readonly #removeExpired: Statement<[number, number]>
  /** Each bid of an account asks for its session. */
  readonly #sessions: RememberedRows<Session | null>

  constructor(db: Database) {
    this.#sessions = new RememberedRows(db)
    const insert = db.prepare(`INSERT INTO sessions (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
    const trim = db.prepare(
      `DELETE FROM sessions WHERE id IN (
         SELECT id FROM sessions WHERE account_id = ? AND id <> ?
         ORDER BY created_at DESC, id DESC LIMIT -1 OFFSET ?)`,
    )
    this.#create = db.transaction((session, keep) => {
      const { id, accountId, tokenHash, previousHash, rotatedAt, createdAt, expiresAt } = session
      insert.run(id, accountId, tokenHash, previousHash, rotatedAt, createdAt, expiresAt)
      trim.run(accountId, id, keep - 1)
    })
    this.#find = db.prepare(`SELECT ${COLUMNS} FROM sessions WHERE id = ?`)
    this.#rotate = db.prepare(
      `UPDATE sessions SET previous_hash = token_hash, token_hash = ?, rotated_at = ?, expires_at = ?
       WHERE id = ? AND token_hash = ?`,
    )
    this.#remove = db.prepare('DELETE FROM sessions WHERE id = ?')
    this.#removeOf = db.prepare('DELETE FROM sessions WHERE account_id = ?')
    this.#removeExpired = db.prepare(
      'DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= ? LIMIT ?)',
    )
  }

  async create(session: Session, keep: number): Promise<void> {
    this.#sessions.forget()
    this.#create.immediate(session, keep)
  }

  async find(id: string): Promise<Session | null> {
    return this.#sessions.find(id, (key) => sessionOf(this.#find.get(key)))
  }

  async rotate(id: string, { from, to, now, expiresAt }: Parameters<SessionRepository['rotate']>[1]): Promise<boolean> {
    this.#sessions.forget()
    return this.#rotate.run(to, now, expiresAt, id, from).changes === 1
  }

  async remove(id: string): Promise<void> {
    this.#sessions.forget()
    this.#remove.run(id)
  }

  async removeOf(accountId: string): Promise<void> {
    this.#sessions.forget()
    this.#removeOf.run(accountId)
  }

  async removeExpired(now: number, limit: number): Promise<void> {
    this.#sessions.forget()
    this.#removeExpired.run(now, limit)
  }
}

function sessionOf(row: Row | undefined): Session | null {
  return row
    ? {
        id: row.id,
        accountId: row.account_id,
        tokenHash: row.token_hash,
        previousHash: row.previous_hash,
        rotatedAt: row.rotated_at,
        createdAt: row.created_at,
        expiresAt: row.expires_at,
      }
    : null
}

import type { Database, Statement } from 'better-sqlite3'
import {
  type Account,
  type AccountChange,
  type AccountRepository,
  loginKey,
} from '../../ports/accounts/account-repository.js'
import { ROLES } from '../../ports/accounts/caller.js'
import { RememberedRows } from './remembered-rows.js'
import { sqliteCode } from './store-error.js'

interface Row {
  readonly id: string
  readonly name: string
  readonly email: string | null
  readonly roles: string
  readonly password_hash: string
  readonly created_at: number
  readonly disabled_at: number | null
}

const COLUMNS = 'id, name, email, roles, password_hash, created_at, disabled_at'

export class SqliteAccountRepository implements AccountRepository {
  readonly #insert: Statement
  readonly #byId: Statement<[string], Row>
  readonly #byLogin: Statement<[string, string], Row>
  readonly #change: Statement<unknown[], Row>
  readonly #list: Statement<[string, number], Row>
  /** Each bid of an account asks for it. */
  readonly #accounts: RememberedRows<Account | null>

  constructor(db: Database) {
    this.#accounts = new RememberedRows(db)
    this.#insert = db.prepare(
      `INSERT INTO accounts (${COLUMNS}, name_key, email_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    this.#byId = db.prepare(`SELECT ${COLUMNS} FROM accounts WHERE id = ?`)
    this.#byLogin = db.prepare(`SELECT ${COLUMNS} FROM accounts WHERE name_key = ? OR email_key = ?`)
    // One statement: nothing of what another process changed meanwhile is put back.
    this.#change = db.prepare(
      `UPDATE accounts SET roles = coalesce(?, roles), password_hash = coalesce(?, password_hash),
         disabled_at = CASE WHEN ? THEN ? ELSE disabled_at END
       WHERE id = ? RETURNING ${COLUMNS}`,
    )
    this.#list = db.prepare(`SELECT ${COLUMNS} FROM accounts WHERE name_key > ? ORDER BY name_key LIMIT ?`)
  }

  async create(account: Account): Promise<'created' | 'name-taken' | 'email-taken'> {
    const { id, name, email, roles, passwordHash, createdAt, disabledAt } = account
    this.#accounts.forget()
    const keys = [loginKey(name), email === null ? null : loginKey(email)]
    try {
      this.#insert.run(id, name, email, roles.join(' '), passwordHash, createdAt, disabledAt, ...keys)
      return 'created'
    } catch (error) {
      if (sqliteCode(error) !== 'SQLITE_CONSTRAINT_UNIQUE') throw error
      return (error as Error).message.includes('email_key') ? 'email-taken' : 'name-taken'
    }
  }

  async find(id: string): Promise<Account | null> {
    return this.#accounts.find(id, (key) => accountOf(this.#byId.get(key)))
  }

  async findByLogin(login: string): Promise<Account | null> {
    const key = loginKey(login)
    return accountOf(this.#byLogin.get(key, key))
  }

  async change(id: string, { roles, passwordHash, disabledAt }: AccountChange): Promise<Account | null> {
    this.#accounts.forget()
    const row = this.#change.get(
      roles?.join(' ') ?? null,
      passwordHash ?? null,
      disabledAt === undefined ? 0 : 1,
      disabledAt ?? null,
      id,
    )
    return accountOf(row)
  }

  async list(after: string | null, limit: number): Promise<readonly Account[]> {
    const rows = this.#list.all(after === null ? '' : loginKey(after), limit)
    return rows.flatMap((row) => accountOf(row) ?? [])
  }
}

function accountOf(row: Row | undefined): Account | null {
  if (!row) return null
  const { id, name, email, roles, password_hash, created_at, disabled_at } = row
  const names = roles.split(' ')
  return {
    id,
    name,
    email,
    roles: ROLES.filter((role) => names.includes(role)),
    passwordHash: password_hash,
    createdAt: created_at,
    disabledAt: disabled_at,
  }
}

import type { Role } from './caller.js'

export interface Account {
  /** `usr_...`. */
  readonly id: string
  /** As it appears in auctions. Names that differ in case only are the same name. */
  readonly name: string
  /** To log in with; shown to its owner and to admins only. Unique as names are. */
  readonly email: string | null
  readonly roles: readonly Role[]
  /** A PHC string. */
  readonly passwordHash: string
  /** UTC milliseconds. */
  readonly createdAt: number
  /** Null: may log in. */
  readonly disabledAt: number | null
}

export type AccountChange = Partial<Pick<Account, 'roles' | 'passwordHash' | 'disabledAt'>>

/** The accounts of a gateway. Several processes may use the same ones: each read sees what was last written. */
export interface AccountRepository {
  /** Durable once it resolves. Stores nothing where the name or the address is taken, and says which. */
  create(account: Account): Promise<'created' | 'name-taken' | 'email-taken'>
  find(id: string): Promise<Account | null>
  /** By name or e-mail address, in any case. */
  findByLogin(login: string): Promise<Account | null>
  /** Changes what is named and nothing else, durably; null where there is no such account. */
  change(id: string, change: AccountChange): Promise<Account | null>
  /** By name, those after `after` (a name); at most `limit`. */
  list(after: string | null, limit: number): Promise<readonly Account[]>
}

/** The form in which names and addresses are compared. */
export function loginKey(login: string): string {
  return login.trim().toLowerCase()
}

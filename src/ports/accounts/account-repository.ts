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

/**
 * The form in which names and addresses are compared: letters in any case, in either normal form of Unicode, and
 * domains as they stand in the DNS are the same.
 */
export function loginKey(login: string): string {
  const text = login.trim().normalize('NFC').toLowerCase()
  const at = text.lastIndexOf('@')
  return at < 0 ? text : `${text.slice(0, at)}@${domainKey(text.slice(at + 1))}`
}

const BEYOND_ASCII = /[\u0080-\uffff]/

/** "münchen.example" as "xn--mnchen-3ya.example". What is no name of a host stays as it is. */
function domainKey(domain: string): string {
  if (!BEYOND_ASCII.test(domain) || !URL.canParse(`http://${domain}`)) return domain
  return new URL(`http://${domain}`).hostname
}

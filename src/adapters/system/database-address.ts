import { resolve } from 'node:path'
import { parseSharedLog, type SharedLogAddress } from './shared-log-address.js'

/** Where services keep what they make of auctions' events. The address of a server holds a secret. */
export type DatabaseAddress =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgres'; readonly server: SharedLogAddress }

const MAX_CHARACTERS = 4_096

/**
 * Reads the path of a SQLite file, or the URL of a PostgreSQL database. Throws what is wrong with it, in words that
 * hold nothing of what may be a password.
 */
export function parseDatabaseAddress(text: string): DatabaseAddress {
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text) || /^[a-z]:[\\/]/i.test(text)) {
    if (text === '' || text.length > MAX_CHARACTERS || text.includes('\0')) throw new Error('must name a file or a URL')
    return { kind: 'sqlite', file: resolve(text) }
  }
  if (!/^postgres(ql)?:/.test(text))
    throw new Error('must be the path of a SQLite file, or a URL of PostgreSQL: postgres://USER@HOST:PORT/DATABASE')
  const server = parseSharedLog(text)
  if (server.hosts.length > 1) throw new Error('must name one host: the rows are in one place')
  return { kind: 'postgres', server }
}

/** The same address, with the password from this file. */
export function withPasswordFile(address: DatabaseAddress | null, passwordFile: string | null): DatabaseAddress | null {
  if (address?.kind !== 'postgres') return address
  return { kind: 'postgres', server: { ...address.server, passwordFile } }
}

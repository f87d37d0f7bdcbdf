import { isLoopback } from './ip-address.js'
import { readPasswordFile } from './password-file.js'

/** Where a cluster keeps its log. Holds a secret: show it with `shownSharedLog`. */
export interface SharedLogAddress {
  /** The primary is one of them. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  readonly database: string
  readonly user: string
  /** Null if it comes from a file, or if none is needed. */
  readonly password: string | null
  /** Absolute. Read at each connection, so that a password can be exchanged while nodes run. */
  readonly passwordFile: string | null
  readonly tls: SharedLogTls
}

/** `require` encrypts, and takes whoever answers for the server; `verify-full` does not. */
export interface SharedLogTls {
  readonly mode: (typeof TLS_MODES)[number]
  /** PEM file of the authority that has signed the server's certificate; null: one that Node knows. */
  readonly rootCertificateFile: string | null
}

const TLS_MODES = ['disable', 'require', 'verify-full'] as const
const OPTIONS = ['sslmode', 'sslrootcert'] as const
const DEFAULT_PORT = 5_432
const MAX_HOSTS = 16
const MAX_PORT = 65_535
const MAX_CHARACTERS = 4_096
const HOST = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::(\d{1,5}))?$/
const EXAMPLE = 'postgres://vendue@db1.example:5432,db2.example:5432/vendue'

/**
 * Reads a URL of PostgreSQL, of one host or several. Throws what is wrong with it, in words that hold nothing of what
 * may be a password.
 */
export function parseSharedLog(text: string): SharedLogAddress {
  const scheme = /^postgres(ql)?:\/\//.exec(text)
  if (!scheme || text.length > MAX_CHARACTERS) throw new Error(`must be a URL such as ${EXAMPLE}`)
  const rest = text.slice(scheme[0].length)
  const [address = '', query = ''] = splitAt(rest, rest.indexOf('?'))
  // The user first: without an "@", or with more than one, anything after it may be part of a password.
  const [credentials, place] = splitAt(address, address.lastIndexOf('@'))
  if (place === undefined || credentials === '') throw new Error(`must name a user, as in ${EXAMPLE}`)
  const [userText = '', passwordText] = splitAt(credentials as string, (credentials as string).indexOf(':'))
  const user = decoded(userText, 'user')
  const password = passwordText === undefined ? null : decoded(passwordText, 'password')
  const [hostsText = '', databaseText = ''] = splitAt(place, place.indexOf('/'))
  const database = decoded(databaseText, 'database')
  if (user === '') throw new Error(`must name a user, as in ${EXAMPLE}`)
  if (database === '') throw new Error(`must name a database, as in ${EXAMPLE}`)
  const hosts = hostsOf(hostsText)
  return { hosts, database, user, password: password || null, passwordFile: null, tls: tlsOf(query, hosts) }
}

/** Without its secret, for people and logs. */
export function shownSharedLog({ hosts, database, user, tls }: SharedLogAddress): string {
  const places = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',')
  const certificate =
    tls.rootCertificateFile === null ? '' : `&sslrootcert=${encodeURIComponent(tls.rootCertificateFile)}`
  const who = `${encodeURIComponent(user)}@`
  return `postgres://${who}${places}/${encodeURIComponent(database)}?sslmode=${tls.mode}${certificate}`
}

const PASSWORD_FILES = {
  shared_log: { setting: 'shared_log_password_file', of: 'the shared log', flag: '--shared-log-password-file' },
  db: { setting: 'db_password_file', of: 'the database', flag: '--db-password-file' },
} as const

/**
 * The password as it is now; undefined if there is none. Throws `SettingsError` if the file cannot be used. `setting`:
 * the one that the address comes from.
 */
export function sharedLogPassword(
  { password, passwordFile }: SharedLogAddress,
  setting: keyof typeof PASSWORD_FILES = 'shared_log',
): string | undefined {
  return passwordFile === null ? (password ?? undefined) : readPasswordFile(passwordFile, PASSWORD_FILES[setting])
}

function hostsOf(text: string): SharedLogAddress['hosts'] {
  const items = text.split(',')
  if (text === '' || items.length > MAX_HOSTS) throw new Error(`must name 1 to ${MAX_HOSTS} hosts, as in ${EXAMPLE}`)
  return items.map((item, i) => {
    const match = HOST.exec(item)
    const port = match?.[3] === undefined ? DEFAULT_PORT : Number(match[3])
    if (match && port >= 1 && port <= MAX_PORT) return { host: (match[1] ?? match[2]) as string, port }
    const which = items.length === 1 ? 'the host' : `host ${i + 1} of ${items.length}`
    throw new Error(
      `has ${which} ${JSON.stringify(item.slice(0, 60))}, which must be HOST or HOST:PORT, as in ${EXAMPLE}`,
    )
  })
}

/** Nothing leaves this machine in the clear unless the URL says so. */
function tlsOf(query: string, hosts: SharedLogAddress['hosts']): SharedLogTls {
  const options = new URLSearchParams(query)
  for (const name of options.keys()) {
    if ((OPTIONS as readonly string[]).includes(name) && options.getAll(name).length === 1) continue
    const shown = /^[a-z_]{1,40}$/.test(name) ? ` ${name}` : ' that is not known'
    throw new Error(`has an option${shown}: it may have ${OPTIONS.join(' and ')}, each once`)
  }
  const isHere = hosts.every(({ host }) => isLoopback(host))
  const mode = options.get('sslmode') ?? (isHere ? 'disable' : 'verify-full')
  if (!isTlsMode(mode)) throw new Error(`has an sslmode that is none of ${TLS_MODES.join(', ')}`)
  const rootCertificateFile = options.get('sslrootcert') || null
  if (rootCertificateFile !== null && mode !== 'verify-full') {
    throw new Error(`has an sslrootcert, which counts with sslmode=verify-full alone, and sslmode=${mode}`)
  }
  return { mode, rootCertificateFile }
}

function isTlsMode(text: string): text is SharedLogTls['mode'] {
  return (TLS_MODES as readonly string[]).includes(text)
}

function decoded(text: string, what: string): string {
  const unescaped = new Error(`has a ${what} with characters that must be written as %XX, such as %40 for "@"`)
  if (/[@/?#\s]/.test(text)) throw unescaped
  try {
    return decodeURIComponent(text)
  } catch {
    throw unescaped
  }
}

/** Without the character at that place; all of it where there is none. */
function splitAt(text: string, place: number): [string, string?] {
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)]
}

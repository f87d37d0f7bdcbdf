import { isLoopback } from '../system/ip-address.js'
import { readPasswordFile } from '../system/password-file.js'

/** Where mail is handed over. Holds a secret: show it with `shownSmtp`. */
export interface SmtpAddress {
  readonly host: string
  readonly port: number
  /** `implicit`: TLS from the start; `starttls`: nothing is sent without; `none`: anybody on the way can read it. */
  readonly tls: 'implicit' | 'starttls' | 'none'
  /** Null: the server asks for no log-in. */
  readonly user: string | null
  readonly password: string | null
}

const EXAMPLE = 'smtp://user@mail.example:587'
const DEFAULT_PORTS = { implicit: 465, starttls: 587, none: 25 }

/**
 * Reads "smtp://user@host:587", which upgrades to TLS, or "smtps://host". "?tls=none" is for servers on this machine,
 * or on a network that nobody else is in. Throws what is wrong with it, in words that hold nothing of a password.
 */
export function parseSmtp(text: string): SmtpAddress {
  const url = URL.parse(text)
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '')
    throw new Error(`must be a URL such as ${EXAMPLE}`)
  if (!/^\/?$/.test(url.pathname) || url.hash !== '') throw new Error(`must end after the port, as in ${EXAMPLE}`)
  const options = [...url.searchParams]
  const isPlain = options.length === 1 && options[0]?.join('=') === 'tls=none'
  if (options.length > 0 && !isPlain) throw new Error('takes one option, "?tls=none"')
  if (isPlain && url.protocol === 'smtps:') throw new Error('must be smtp:// where it has "?tls=none"')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const tls = url.protocol === 'smtps:' ? 'implicit' : isPlain ? 'none' : 'starttls'
  const user = decoded(url.username)
  const password = decoded(url.password)
  if (tls === 'none' && user !== null && !isLoopback(host))
    throw new Error('must not send a password without TLS: drop "?tls=none", or the user')
  return { host, port: Number(url.port) || DEFAULT_PORTS[tls], tls, user, password }
}

/** Without its secret, for people and logs. */
export function shownSmtp({ host, port, tls, user }: SmtpAddress): string {
  const scheme = tls === 'implicit' ? 'smtps' : 'smtp'
  const who = user === null ? '' : `${encodeURIComponent(user)}@`
  const place = `${host.includes(':') ? `[${host}]` : host}:${port}`
  return `${scheme}://${who}${place}${tls === 'none' ? '?tls=none' : ''}`
}

/** The password as it is now. Throws `SettingsError` if the file cannot be used. */
export function smtpPassword({ password }: SmtpAddress, passwordFile: string | null): string | null {
  if (passwordFile === null) return password
  const file = { setting: 'smtp_password_file', of: 'the mail server', flag: '--smtp-password-file' }
  return readPasswordFile(passwordFile, file)
}

function decoded(text: string): string | null {
  try {
    return text === '' ? null : decodeURIComponent(text)
  } catch {
    throw new Error('must have "%" in the user and the password written as "%25"')
  }
}

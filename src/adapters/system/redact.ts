/** Field names whose values never reach a log, in any case and with or without separators. */
const SECRET_NAMES = new Set([
  ...['token', 'operatortoken', 'max', 'limit', 'reserve', 'salt', 'privatekey'],
  ...['password', 'currentpassword', 'newpassword', 'passwordhash', 'accesstoken', 'refreshtoken'],
  ...['authorization', 'xapikey', 'apikey', 'secret', 'secrets', 'cookie', 'sharedlog'],
  // Who knows a push subscription's parts, or a link that ends notices, can use them.
  ...['endpoint', 'auth', 'p256dh', 'unsubscribe', 'smtpurl', 'pass'],
])
const MAX_DEPTH = 6
const MAX_ENTRIES = 100
const MAX_CAUSES = 4

export const REDACTED = '[redacted]'

/** A copy of log fields without secrets: plain data, errors with code, message, stack and causes, bounded in size. */
export function redact(fields: object): Record<string, unknown> {
  const copy = plain(fields, 0)
  return typeof copy === 'object' && copy !== null ? (copy as Record<string, unknown>) : {}
}

function plain(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint') return String(value)
  if (typeof value !== 'object' || value === null) return value
  if (depth >= MAX_DEPTH) return '[...]'
  if (value instanceof Error) return plainError(value, depth, 0)
  if (value instanceof Date) return value
  if (value instanceof Uint8Array) return `[${value.length} bytes]`
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => plain(item, depth + 1))
  const entries: [string, unknown][] = value instanceof Map ? [...value] : Object.entries(value)
  return Object.fromEntries(
    entries.slice(0, MAX_ENTRIES).map(([name, item]) => [name, isSecret(name) ? REDACTED : plain(item, depth + 1)]),
  )
}

function isSecret(name: unknown): boolean {
  return SECRET_NAMES.has(String(name).replace(/[-_]/g, '').toLowerCase())
}

function plainError(error: Error, depth: number, causes: number): Record<string, unknown> {
  const { name, message, stack, cause, ...own } = error
  const shown: Record<string, unknown> = {
    ...(plain({ ...own }, depth + 1) as object),
    type: name,
    message,
    stack,
  }
  if (cause instanceof Error && causes < MAX_CAUSES) shown.cause = plainError(cause, depth, causes + 1)
  else if (cause !== undefined) shown.cause = plain(cause, depth + 1)
  return shown
}

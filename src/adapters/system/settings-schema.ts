import { z } from 'zod'
import { budgetsSetting } from '../../application/budgets/budget-setting.js'
import { limitsSetting } from '../../application/gateway/limit-rules.js'
import { MAX_EXPONENT } from '../../domain/currency.js'
import { NODE_NAME, NODE_NAME_RULE } from '../../domain/limits.js'
import { AUTH_MODES, registrationSetting, selfRolesSetting } from './account-settings.js'
import { type DatabaseAddress, parseDatabaseAddress } from './database-address.js'
import { DIRECTORY_NAME_RULE, isDirectoryName } from './directory-name.js'
import { networkOf } from './ip-address.js'
import { parseDuration } from './parse-duration.js'
import { parseSharedLog, type SharedLogAddress } from './shared-log-address.js'

const DIGITS = /^\d{1,5}$/
const CURRENCY = /^[A-Z][A-Z0-9]{2,9}$/
const ADDRESS = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253})):(\d{1,5})$/

export const MAX_PORT = 65_535
export const MAX_BOOTSTRAP = 64
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
export const LOG_FORMATS = ['auto', 'pretty', 'json'] as const

/** "host:port" taken apart, port 0 included; null for anything else. */
export function parseListenAddress(text: string): { host: string; port: number } | null {
  const match = ADDRESS.exec(text)
  const port = Number(match?.[3])
  return match && port <= MAX_PORT ? { host: (match[1] ?? match[2]) as string, port } : null
}

const host = z.string().regex(/^([A-Za-z0-9._-]{1,253}|[0-9a-fA-F:.]{2,45})$/, 'must be a host name or an IP address')

const port = z
  .union([z.string().regex(DIGITS).transform(Number), z.number()], { error: portRule })
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= MAX_PORT, portRule())

function metricsPortRule(): string {
  return 'must be "off" or a port, 0 to 65535 (0: any free one)'
}

function portRule(): string {
  return 'must be a port, 0 to 65535 (0: any free one)'
}

const directory = z.string().min(1, 'must name a directory').refine(isDirectoryName, DIRECTORY_NAME_RULE)

const listenAddress = z.string().transform((text, context) => {
  const address = parseListenAddress(text)
  if (address) return address
  context.issues.push({
    code: 'custom',
    input: text,
    message: 'must be HOST:PORT, such as 127.0.0.1:7000 (port 0: any free one)',
  })
  return z.NEVER
})

const BOOTSTRAP_RULE = `must be up to ${MAX_BOOTSTRAP} addresses HOST:PORT, separated by commas`
const bootstrap = z
  .union([z.string().transform(splitList), z.array(z.string())], { error: () => BOOTSTRAP_RULE })
  .refine(
    (list) => list.length <= MAX_BOOTSTRAP && list.every((item) => (parseListenAddress(item)?.port ?? 0) > 0),
    BOOTSTRAP_RULE,
  )

const CURRENCIES_RULE = `must name codes with their decimals, 0 to ${MAX_EXPONENT}, such as GOLD:3,POINT:0`
const currencies = z
  .union([z.string().transform(splitPairs), z.record(z.string(), z.number())], {
    error: () => CURRENCIES_RULE,
  })
  .refine(
    (table) =>
      Object.entries(table).every(
        ([code, exponent]) =>
          CURRENCY.test(code) && Number.isInteger(exponent) && exponent >= 0 && exponent <= MAX_EXPONENT,
      ),
    CURRENCIES_RULE,
  )

const grape = z
  .string()
  .refine(
    (value) => value === 'embedded' || isHttpUrl(value),
    'must be "embedded" or the URL of a Grape, such as http://127.0.0.1:30001',
  )

const ORIGINS_RULE = 'must be origins such as https://shop.example, separated by commas, or *'
const origins = z
  .union([z.string().transform(splitList), z.array(z.string())], { error: () => ORIGINS_RULE })
  .refine((list) => list.length <= 64 && list.every((item) => item === '*' || isOrigin(item)), ORIGINS_RULE)

const GATEWAYS_RULE = 'must be addresses of gateways, such as https://two.example, separated by commas'
const gateways = z
  .union([z.string().transform(splitList), z.array(z.string())], { error: () => GATEWAYS_RULE })
  .refine((list) => list.length <= 16 && list.every(isOrigin), GATEWAYS_RULE)

const PROXIES_RULE = 'must be IP addresses or networks such as 10.0.0.0/8, separated by commas'
const proxies = z
  .union([z.string().transform(splitList), z.array(z.string())], { error: () => PROXIES_RULE })
  .refine((list) => list.length <= 64 && list.every((item) => networkOf(item) !== null), PROXIES_RULE)

const YES_NO_RULE = 'must be yes or no'
const yesNo = z.union(
  [z.boolean(), z.enum(['yes', 'no', 'true', 'false']).transform((word) => word === 'yes' || word === 'true')],
  {
    error: () => YES_NO_RULE,
  },
)

const WAIT_RULE = 'must be "off" or a duration such as 30s, 10m or 1h30m'
const peerWait = z.string({ error: () => WAIT_RULE }).transform((text, context) => {
  const ms = text === 'off' ? 0 : parseDuration(text)
  if (ms !== null) return ms
  context.issues.push({ code: 'custom', input: text, message: WAIT_RULE })
  return z.NEVER
})

const KEEP_RULE = 'must be "forever" or a duration such as 400d'
const auditKeep = z.string({ error: () => KEEP_RULE }).transform((text, context) => {
  const ms = text === 'forever' ? 0 : parseDuration(text)
  if (ms !== null) return ms === 0 ? null : ms
  context.issues.push({ code: 'custom', input: text, message: KEEP_RULE })
  return z.NEVER
})

const CONNECTIONS_RULE = 'must be a number of connections, 1 to 100000'
const connections = z
  .union(
    [
      z
        .string()
        .regex(/^\d{1,6}$/)
        .transform(Number),
      z.number(),
    ],
    { error: () => CONNECTIONS_RULE },
  )
  .refine((value) => Number.isInteger(value) && value >= 1 && value <= 100_000, CONNECTIONS_RULE)

const sharedLog = z.string().transform((text, context): SharedLogAddress => {
  try {
    return parseSharedLog(text)
  } catch (error) {
    // Without the text, which may hold a password.
    context.issues.push({ code: 'custom', input: null, message: (error as Error).message })
    return z.NEVER
  }
})

const MEGABYTES_RULE = 'must be a number of MiB, 0 to 1000000'
const megabytes = z
  .union(
    [
      z
        .string()
        .regex(/^\d{1,7}$/)
        .transform(Number),
      z.number(),
    ],
    { error: () => MEGABYTES_RULE },
  )
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= 1_000_000, MEGABYTES_RULE)

const database = z.string().transform((text, context): DatabaseAddress => {
  try {
    return parseDatabaseAddress(text)
  } catch (error) {
    // Without the text, which may hold a password.
    context.issues.push({ code: 'custom', input: null, message: (error as Error).message })
    return z.NEVER
  }
})

/** Every setting, by its name in the config file. Values from flags and the environment arrive as text. */
export const settingsSchema = z.strictObject({
  name: z.string().regex(NODE_NAME, NODE_NAME_RULE),
  data: directory,
  mesh: z.string().regex(NODE_NAME, NODE_NAME_RULE),
  rpc: listenAddress,
  grape,
  grape_host: host,
  grape_port: port,
  dht_port: port,
  bootstrap,
  gateway: yesNo,
  metrics_host: host,
  metrics_port: z.union([z.literal('off'), port], { error: metricsPortRule }),
  http_host: host,
  http_port: port,
  http_origins: origins,
  http_gateways: gateways,
  http_connections_per_address: connections,
  http_trusted_proxies: proxies,
  auth: z.enum(AUTH_MODES, { error: () => `must be ${AUTH_MODES.join(' or ')}` }),
  auth_open_anywhere: yesNo,
  accounts_dir: directory,
  default_currency: z.string().regex(/^[A-Za-z0-9]{1,10}$/, 'must be a currency code, like USD'),
  audit_keep: auditKeep,
  peer_wait: peerWait,
  shared_log: sharedLog.nullable(),
  shared_log_password_file: directory.nullable(),
  analytics: yesNo,
  db: database.nullable(),
  db_password_file: directory.nullable(),
  log_level: z.enum(LOG_LEVELS, { error: () => `must be one of ${LOG_LEVELS.join(', ')}` }),
  log_format: z.enum(LOG_FORMATS, { error: () => `must be one of ${LOG_FORMATS.join(', ')}` }),
  currencies,
  pictures_own_mb: megabytes,
  pictures_copies_mb: megabytes,
  registration: registrationSetting,
  self_roles: selfRolesSetting,
  limits: limitsSetting,
  budgets: budgetsSetting,
})

export type SettingValues = z.infer<typeof settingsSchema>
export type SettingKey = keyof SettingValues

/** The gateway's, where none is named. */
export const DEFAULT_HTTP_PORT = 8_080

export const SETTING_KEYS = Object.keys(settingsSchema.shape) as SettingKey[]

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function splitPairs(text: string): Record<string, number> {
  return Object.fromEntries(
    splitList(text).map((item) => {
      const [code = '', exponent = ''] = item.split(':')
      return [code, DIGITS.test(exponent) ? Number(exponent) : Number.NaN]
    }),
  )
}

function isOrigin(text: string): boolean {
  return isHttpUrl(text) && new URL(text).origin === text
}

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol } = new URL(text)
  return protocol === 'http:' || protocol === 'https:'
}

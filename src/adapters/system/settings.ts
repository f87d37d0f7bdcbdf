/**
 * Room `system`: this machine: settings, keys and secrets in files, clock, threads. Long because each setting's
 * default, and what a node takes of it, are read side by side.
 */

import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import type { BudgetLimits } from '../../application/budgets/sender-budgets.js'
import { DEFAULT_LIMITS } from '../../application/gateway/limit-rules.js'
import { DEFAULT_PEER_WAIT_MS } from '../../application/home/first-comparison.js'
import { type AuthMode, DEFAULT_ACCOUNT_SETTINGS } from './account-settings.js'
import { readConfigFile } from './config-file.js'
import { type DatabaseAddress, withPasswordFile } from './database-address.js'
import { isLoopback } from './ip-address.js'
import { listRunningNodes, nodeDirectory } from './running-nodes.js'
import { checkPasswordFiles, exposures, seenSecrets } from './settings-checks.js'
import { SettingsError } from './settings-error.js'
import {
  DEFAULT_HTTP_PORT,
  parseListenAddress,
  SETTING_KEYS,
  type SettingKey,
  type SettingValues,
  settingsSchema,
} from './settings-schema.js'
import type { SharedLogAddress } from './shared-log-address.js'

/** What a node is started with. */
export interface NodeSettings {
  readonly name: string
  /** Absolute. */
  readonly dataDir: string
  /** Nodes find those of the same mesh only. */
  readonly mesh: string
  /** Somebody named it; a node that has joined one mesh takes part in that one otherwise. */
  readonly meshNamed?: boolean
  /** Absolute: where each mesh of this machine's user has a directory with its authority. */
  readonly meshesDir: string
  /** Port 0: any free one. */
  readonly rpc: { readonly host: string; readonly port: number }
  readonly grape: GrapeSettings
  /** Where GET /metrics is served beside the gateway; nowhere by default. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined
  readonly log: {
    readonly level: string
    readonly format: 'pretty' | 'json' | 'auto'
  }
  /** Currencies beside the known ones: code to decimal places. */
  readonly currencies: Readonly<Record<string, number>>
  /** Room for pictures, in bytes: of this node's auctions, and of others'. */
  readonly pictures?: { readonly ownLimit: number; readonly copyLimit: number }
  /** How long a home waits, before it writes, for one of the peers that it knows; half a minute otherwise. */
  readonly peerWaitMs?: number
  /** How long lines of the audit record are kept; null: for good. */
  readonly auditKeepMs?: number | null
  /** What each sender may use up here; the defaults otherwise. */
  readonly budgets?: BudgetLimits
  /** Where the cluster of this node keeps its log. */
  readonly sharedLog?: SharedLogAddress
  /** What is computed from auctions' events beside the node; nothing otherwise. */
  readonly consumers?: ConsumerSettings
}

export interface ConsumerSettings {
  readonly analytics: boolean
  /** Null: each service has a SQLite file of its own in the data directory. */
  readonly database: DatabaseAddress | null
}

export type GrapeSettings =
  | {
      readonly mode: 'embedded'
      readonly host: string
      readonly apiPort: number
      readonly dhtPort: number
      /** `exact`: somebody named the ports, so one that is taken is an error. */
      readonly ports: 'preferred' | 'exact'
      /** "host:port" of other Grapes' DHTs. */
      readonly bootstrap: readonly string[]
    }
  | { readonly mode: 'url'; readonly url: string }

export type SettingSource =
  | { readonly kind: 'flag'; readonly flag: string }
  | { readonly kind: 'environment'; readonly variable: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'default' }

export interface Settings {
  /** Where nodes and the config file live. */
  readonly home: string
  readonly values: Readonly<SettingValues>
  readonly sources: Readonly<Record<SettingKey, SettingSource>>
  /** What is odd about the settings, though they can be used. */
  readonly warnings: readonly string[]
  /** What a node or gateway with these settings lets others reach. Commands that only call one do not print it. */
  readonly exposures: readonly string[]
}

export interface SettingsInput {
  /** Text as given on the command line, by setting. */
  readonly flags: Readonly<Partial<Record<SettingKey, string>>>
  /** `--config`: must exist then. `config.json` of the home otherwise, where there is one. */
  readonly configFile?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** The user's home directory. */
  readonly userHome?: string
}

const MIB = 1_024 * 1_024
export const DEFAULT_PICTURE_ROOM = { ownLimit: 8_192 * MIB, copyLimit: 1_024 * MIB }

export const DEFAULT_AUDIT_KEEP_MS = 400 * 86_400_000

export const DEFAULT_NAME = 'main'
/** In the home. */
export const MESHES_DIR = 'meshes'
const DEFAULT_BOOTSTRAP = ['127.0.0.1:20001', '127.0.0.1:20002']
const ENV_PREFIX = 'VENDUE_'
/** Variables that are no settings: where things are, and the operator's token. */
const OTHER_VARIABLES = ['VENDUE_HOME', 'VENDUE_CONFIG', 'VENDUE_TOKEN']

/** Flags come first, then the environment, the config file, and the defaults. Throws `SettingsError`. */
export function loadSettings({ flags, configFile, env, userHome = homedir() }: SettingsInput): Settings {
  const home = resolve(env.VENDUE_HOME || join(userHome, '.vendue'))
  const named = configFile ?? (env.VENDUE_CONFIG || undefined)
  const path = resolve(named ?? join(home, 'config.json'))
  const file = readConfigFile(path, named !== undefined)
  const values: Record<string, unknown> = {}
  const sources: Partial<Record<SettingKey, SettingSource>> = {}
  for (const key of SETTING_KEYS) {
    const found = firstSource(key, { flags, env, file, path })
    sources[key] = found?.source ?? { kind: 'default' }
    if (found) values[key] = parseSetting(key, found.given, found.source)
  }
  // The defaults of some follow from others.
  const name = (values.name as string | undefined) ?? DEFAULT_NAME
  const defaults: SettingValues = {
    name,
    data: nodeDirectory(home, name),
    mesh: 'local',
    rpc: { host: '127.0.0.1', port: 0 },
    grape: 'embedded',
    grape_host: '127.0.0.1',
    // If one of the two is named, that one is exact, and the other is any free port.
    grape_port: values.dht_port === undefined ? 30_001 : 0,
    dht_port: values.grape_port === undefined ? 20_001 : 0,
    bootstrap: [],
    gateway: true,
    metrics_host: '127.0.0.1',
    metrics_port: 'off',
    http_host: '127.0.0.1',
    http_port: DEFAULT_HTTP_PORT,
    http_origins: [],
    http_gateways: [],
    http_connections_per_address: 10_000,
    http_trusted_proxies: [],
    auth: authOf(values),
    auth_open_anywhere: false,
    accounts_dir: '',
    default_currency: 'USD',
    audit_keep: DEFAULT_AUDIT_KEEP_MS,
    peer_wait: DEFAULT_PEER_WAIT_MS,
    shared_log: null,
    shared_log_password_file: null,
    analytics: true,
    db: null,
    db_password_file: null,
    log_level: 'info',
    log_format: 'auto',
    currencies: {},
    pictures_own_mb: DEFAULT_PICTURE_ROOM.ownLimit / MIB,
    pictures_copies_mb: DEFAULT_PICTURE_ROOM.copyLimit / MIB,
    registration: DEFAULT_ACCOUNT_SETTINGS.registration,
    self_roles: [...DEFAULT_ACCOUNT_SETTINGS.selfRoles],
    limits: DEFAULT_LIMITS,
    budgets: {},
  }
  for (const key of ['data', 'accounts_dir', 'shared_log_password_file', 'db_password_file'] as const)
    if (typeof values[key] === 'string') values[key] = resolve(values[key])
  defaults.accounts_dir = (values.data as string | undefined) ?? defaults.data
  if (values.bootstrap === undefined) defaults.bootstrap = defaultBootstrap(home, values.dht_port)
  const settings = {
    home,
    values: { ...defaults, ...values } as SettingValues,
    sources: sources as Record<SettingKey, SettingSource>,
  }
  const check = { values: settings.values, where: (key: SettingKey) => describeSource(settings.sources[key]) }
  checkPasswordFiles(check)
  return { ...settings, warnings: [...unknownVariables(env), ...seenSecrets(check)], exposures: exposures(check) }
}

/** Where other machines reach the gateway, names are taken on trust only if somebody said so. */
function authOf({ http_host, auth_open_anywhere }: Readonly<Record<string, unknown>>): AuthMode {
  const here = http_host === undefined || isLoopback(String(http_host))
  return here || auth_open_anywhere === true ? 'open' : 'accounts'
}

/** What a node takes of the settings. */
export function nodeSettings({ home, values, sources }: Settings): NodeSettings {
  const named = [sources.grape_port, sources.dht_port].some(({ kind }) => kind !== 'default')
  return {
    name: values.name,
    dataDir: values.data,
    mesh: values.mesh,
    meshNamed: sources.mesh.kind !== 'default',
    meshesDir: join(home, MESHES_DIR),
    rpc: values.rpc,
    grape:
      values.grape === 'embedded'
        ? {
            mode: 'embedded',
            host: values.grape_host,
            apiPort: values.grape_port,
            dhtPort: values.dht_port,
            ports: named ? 'exact' : 'preferred',
            bootstrap: values.bootstrap,
          }
        : { mode: 'url', url: values.grape },
    ...(values.metrics_port !== 'off' && {
      metrics: { host: values.metrics_host, port: values.metrics_port },
    }),
    log: { level: values.log_level, format: values.log_format },
    currencies: values.currencies,
    pictures: { ownLimit: values.pictures_own_mb * MIB, copyLimit: values.pictures_copies_mb * MIB },
    peerWaitMs: values.peer_wait,
    auditKeepMs: values.audit_keep,
    ...(values.shared_log !== null && {
      sharedLog: { ...values.shared_log, passwordFile: values.shared_log_password_file },
    }),
    budgets: values.budgets,
    consumers: { analytics: values.analytics, database: withPasswordFile(values.db, values.db_password_file) },
  }
}

/** "--rpc", "VENDUE_RPC", a file's path, or "default". */
export function describeSource(source: SettingSource): string {
  switch (source.kind) {
    case 'flag':
      return source.flag
    case 'environment':
      return source.variable
    case 'file':
      return source.path
    case 'default':
      return 'default'
    default: {
      const unknown: never = source
      throw new Error(`unknown source ${JSON.stringify(unknown)}`)
    }
  }
}

export function flagOf(key: SettingKey): string {
  return `--${key.replaceAll('_', '-')}`
}

function variableOf(key: SettingKey): string {
  return ENV_PREFIX + key.toUpperCase()
}

interface Sources extends Pick<SettingsInput, 'flags' | 'env'> {
  readonly file: Readonly<Record<string, unknown>>
  readonly path: string
}

function firstSource(
  key: SettingKey,
  { flags, env, file, path }: Sources,
): { given: unknown; source: SettingSource } | null {
  const flag = flags[key]
  if (flag !== undefined) return { given: flag, source: { kind: 'flag', flag: flagOf(key) } }
  const variable = variableOf(key)
  const inEnvironment = env[variable]
  // An empty variable is how shells and containers say "not set".
  if (inEnvironment) return { given: inEnvironment, source: { kind: 'environment', variable } }
  return Object.hasOwn(file, key) ? { given: file[key], source: { kind: 'file', path } } : null
}

const MAX_SHOWN = 80
/** What was given for these is not shown. */
const SECRET_SETTINGS: ReadonlySet<SettingKey> = new Set(['shared_log', 'db'])

function parseSetting(key: SettingKey, given: unknown, source: SettingSource): unknown {
  const parsed = settingsSchema.shape[key].safeParse(given)
  if (parsed.success) return parsed.data
  const rule = parsed.error.issues[0]
  const shown = SECRET_SETTINGS.has(key) ? '' : ` ${(JSON.stringify(given) ?? 'undefined').slice(0, MAX_SHOWN)}`
  const where = source.kind === 'file' ? `${source.path}: ${key}` : describeSource(source)
  const words = rule?.code === 'invalid_type' ? `must be a ${rule.expected}` : (rule?.message ?? 'is not valid')
  const next = source.kind === 'environment' ? `correct ${source.variable}, or unset it` : 'correct it'
  throw new SettingsError(key, `${where}${shown}: ${words}`, next)
}

/** Well-known local Grapes, and every node of this home that runs: so that nodes on one machine find each other. */
function defaultBootstrap(home: string, ownDhtPort: unknown): string[] {
  const running = listRunningNodes(home).flatMap(({ dhtAddress }) => (dhtAddress ? [dhtAddress] : []))
  const candidates = new Set([...DEFAULT_BOOTSTRAP, ...running])
  return [...candidates].filter((address) => parseListenAddress(address)?.port !== ownDhtPort)
}

function unknownVariables(env: SettingsInput['env']): string[] {
  const known = new Set([...OTHER_VARIABLES, ...SETTING_KEYS.map(variableOf)])
  return Object.keys(env)
    .filter((name) => name.startsWith(ENV_PREFIX) && !known.has(name))
    .map((name) => `${name.slice(0, MAX_SHOWN)} is not a variable of Vendue, and has no effect`)
}

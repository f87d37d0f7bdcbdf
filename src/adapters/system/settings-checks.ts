import { isLoopback } from './ip-address.js'
import { SettingsError } from './settings-error.js'
import type { SettingKey, SettingValues } from './settings-schema.js'
import type { SharedLogAddress } from './shared-log-address.js'

export interface SettingsToCheck {
  readonly values: Readonly<SettingValues>
  /** Where a value comes from, in words. */
  readonly where: (key: SettingKey) => string
}

/** A password may come from one place only, and only beside the address of what it opens. */
export function checkPasswordFiles(check: SettingsToCheck): void {
  for (const key of SERVERS) checkPasswordFile(check, key)
}

type Server = 'shared_log' | 'db'
const SERVERS: readonly Server[] = ['shared_log', 'db']
const WORDS = { shared_log: 'a shared log', db: 'a PostgreSQL database' } as const

function checkPasswordFile({ values, where }: SettingsToCheck, key: Server): void {
  const fileKey = `${key}_password_file` as const
  if (values[fileKey] === null) return
  const server = serverOf(values, key)
  const file = where(fileKey)
  if (server === null) {
    const next = `name ${WORDS[key]} with ${flagOf(key)}, or leave the password file out`
    throw new SettingsError(fileKey, `${file} is of use with ${WORDS[key]} alone`, next)
  }
  if (server.password === null) return
  const next = 'take the password out of the URL, or leave the file out'
  throw new SettingsError(fileKey, `${where(key)} and ${file} both name a password`, next)
}

/** Secrets that the list of processes shows. */
export function seenSecrets({ values, where }: SettingsToCheck): string[] {
  const seen = SERVERS.filter((key) => where(key) === flagOf(key) && serverOf(values, key)?.password != null)
  return seen.map((key) => {
    const flag = flagOf(key)
    return `whoever uses this machine sees the password of ${flag} among its processes: use ${flag}-password-file, or VENDUE_${key.toUpperCase()}`
  })
}

function serverOf({ shared_log, db }: Readonly<SettingValues>, key: Server): SharedLogAddress | null {
  if (key === 'shared_log') return shared_log
  return db?.kind === 'postgres' ? db.server : null
}

function flagOf(key: Server): string {
  return `--${key.replaceAll('_', '-')}`
}

/** What a node or gateway with these settings lets others reach. */
export function exposures({ values, where }: SettingsToCheck): string[] {
  const exposures: string[] = []
  if (!isLoopback(values.rpc.host)) {
    exposures.push(`RPC listens on ${values.rpc.host} (${where('rpc')}): whoever reaches this machine reaches the node`)
  }
  if (values.grape === 'embedded' && !isLoopback(values.grape_host)) {
    exposures.push(
      `the Grape listens on ${values.grape_host} (${where('grape_host')}): its DHT and HTTP API are open to whoever reaches this machine`,
    )
  }
  if (values.metrics_port !== 'off' && !isLoopback(values.metrics_host)) {
    exposures.push(
      `metrics are served on ${values.metrics_host} (${where('metrics_host')}): whoever reaches this machine reads them`,
    )
  }
  if (values.gateway && !isLoopback(values.http_host)) {
    const trust = values.auth === 'open' ? ', and may bid as anybody' : ''
    exposures.push(
      `the gateway listens on ${values.http_host} (${where('http_host')}): whoever reaches this machine reaches it${trust}`,
    )
  }
  return exposures
}

import { isLoopback } from './ip-address.js'
import { SettingsError } from './settings-error.js'
import type { SettingKey, SettingValues } from './settings-schema.js'

export interface SettingsToCheck {
  readonly values: Readonly<SettingValues>
  /** Where a value comes from, in words. */
  readonly where: (key: SettingKey) => string
}

/** A password may come from one place only, and only beside the address of a log. */
export function checkPasswordFile({ values, where }: SettingsToCheck): void {
  if (values.shared_log_password_file === null) return
  const file = where('shared_log_password_file')
  if (values.shared_log === null) {
    const next = 'name the log with --shared-log, or leave the password file out'
    throw new SettingsError('shared_log_password_file', `${file} is of use with a shared log alone`, next)
  }
  if (values.shared_log.password === null) return
  const next = 'take the password out of the URL, or leave the file out'
  const both = `${where('shared_log')} and ${file} both name a password`
  throw new SettingsError('shared_log_password_file', both, next)
}

/** Secrets that the list of processes shows. */
export function seenSecrets({ values, where }: SettingsToCheck): string[] {
  if (where('shared_log') !== '--shared-log' || values.shared_log?.password == null) return []
  return [
    'whoever uses this machine sees the password of --shared-log among its processes: use --shared-log-password-file, or VENDUE_SHARED_LOG',
  ]
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

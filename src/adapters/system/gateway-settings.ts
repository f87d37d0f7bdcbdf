import type { LimitRules } from '../../application/gateway/limit-rules.js'
import type { AccountSettings, AuthMode } from './account-settings.js'
import { isLoopback } from './ip-address.js'
import type { Settings } from './settings.js'

/** What a gateway is started with. */
export interface GatewaySettings {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** Where the port is taken: an error where somebody named it, any free one otherwise. */
  readonly portTaken: 'error' | 'another'
  /** Origins of pages elsewhere that may use it; "*": any. */
  readonly origins: readonly string[]
  /** Others with the same bidders: the web page goes on through them when this one is away, and theirs through this. */
  readonly gateways: readonly string[]
  readonly auth: AuthMode
  /** Names are taken on trust even where other machines reach the gateway. */
  readonly authOpenAnywhere: boolean
  /** Of auctions whose opening names none. */
  readonly currency: string
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Proxies whose X-Forwarded-For is believed: IP addresses, or networks. */
  readonly trustedProxies: readonly string[]
  /** Where its accounts lie. */
  readonly dataDir: string
  /** How long lines of the audit record are kept; null: for good. */
  readonly auditKeepMs: number | null
  readonly accounts: Pick<AccountSettings, 'registration' | 'selfRoles'>
  /** Null: nothing is counted. */
  readonly limits: LimitRules | null
}

const MAX_CONNECTIONS = 20_000

export function gatewaySettings({ values, sources }: Settings): GatewaySettings {
  // On loopback without accounts all callers are one user's own, and have one address.
  const unlimited = values.auth === 'open' && isLoopback(values.http_host) && sources.limits.kind === 'default'
  return {
    host: values.http_host,
    port: values.http_port,
    portTaken: sources.http_port.kind === 'default' ? 'another' : 'error',
    origins: values.http_origins,
    gateways: values.http_gateways,
    auth: values.auth,
    authOpenAnywhere: values.auth_open_anywhere,
    currency: values.default_currency,
    maxConnections: MAX_CONNECTIONS,
    maxConnectionsPerAddress: values.http_connections_per_address,
    trustedProxies: values.http_trusted_proxies,
    dataDir: values.accounts_dir,
    auditKeepMs: values.audit_keep,
    accounts: { registration: values.registration, selfRoles: values.self_roles },
    limits: unlimited ? null : values.limits,
  }
}

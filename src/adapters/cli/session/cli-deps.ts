import type { Accounts } from '../../../application/accounts/accounts.js'
import type { ApiKeys } from '../../../application/accounts/api-keys.js'
import type { Pseudonyms } from '../../../application/accounts/pseudonyms.js'
import type { AuditCheck } from '../../../application/audit/check-audit.js'
import type { StoredProgress } from '../../../application/consumers/stored-progress.js'
import type { Act, Audit } from '../../../ports/audit/audit.js'
import type { ClusterAdmin } from '../../../ports/members/cluster-admin.js'
import type { MeshAdmin } from '../../../ports/members/mesh-admin.js'
import type { EventFeed } from '../../../ports/node/event-feed.js'
import type { AuditLines } from '../../../ports/node/node-answers.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { NodeInfo } from '../../../ports/node/node-info.js'
import type { AuditRequest } from '../../../ports/node/node-requests.js'
import type { SyncStatus } from '../../../ports/node/node-status.js'
import type { ConsumerStatus } from '../../../ports/store/consumer-status.js'
import type { RepairReport } from '../../../ports/store/repair-report.js'
import type { StatQueries } from '../../../ports/store/stat-queries.js'
import type { Logger } from '../../../ports/system/logger.js'
import type { Metrics, MetricsPage } from '../../../ports/system/metrics.js'
import type { DatabaseAddress } from '../../system/database-address.js'
import type { TokenKeyRotation } from '../../system/gateway-secrets.js'
import type { GatewaySettings } from '../../system/gateway-settings.js'
import type { NodeSettings } from '../../system/settings.js'
import type { SharedLogAddress } from '../../system/shared-log-address.js'

/** What the command line needs from outside: made where a process is put together, so that tests can pass fakes. */
export interface CliDeps {
  /** A node, not started yet. */
  createNode(settings: NodeSettings, options: { readonly logger: Logger }): Promise<NodeHandle>
  /** A Grape for several nodes to share, running. Rejects with an error that has a `code`. */
  startGrape(options: GrapeOptions, deps: { readonly logger: Logger }): Promise<GrapeHandle>
  /** The numbers in a database. Connects to nothing yet. */
  openStats(database: DatabaseAddress): Promise<StatQueries>
  /** A node of another process. Does not call it yet. */
  connect(target: NodeTarget): Promise<NodeConnection>
  /** A gateway over a node, serving when it resolves. Rejects with an error that has a `code` and says what to do. */
  startGateway(settings: GatewaySettings, parts: GatewayParts): Promise<GatewayHandle>
  /** Analytics over a node, not started yet. Connects to its database when it first needs it. */
  openAnalytics(options: AnalyticsOptions): Promise<AnalyticsHandle>
  /** Shows an address in the user's browser. False if that cannot be done here. */
  showInBrowser(url: string): Promise<boolean>
  /** Replaces the damaged database of a node that does not run. Rejects with an error that has a `code`. */
  repair(dataDir: string, options: { readonly takeBack?: string | undefined }): Promise<RepairReport>
  /** The meshes of the user whose home directory (for Vendue) this is. */
  meshAdmin(home: string): Promise<MeshAdmin>
  /** The cluster of the node in this data directory. */
  clusterAdmin(of: { readonly dataDir: string; readonly sharedLog: SharedLogAddress }): Promise<ClusterAdmin>
  /** The audit record of a data directory; null if there is none. Rejects with an error that has a `code`. */
  readAudit(dataDir: string): Promise<AuditRecord | null>
  /** Records what was done to a data directory, where there is one. */
  recordAct(dataDir: string, act: Act, logger: Logger): Promise<void>
  /** A gateway's accounts, which a running gateway may have open too. Rejects with an error that has a `code`. */
  openAccounts(dataDir: string): Promise<AccountsHandle>
}

export interface AnalyticsOptions {
  readonly api: NodeApi
  readonly database: DatabaseAddress
  /** The name of this instance, for people. */
  readonly holder: string
  readonly logger: Logger
}

export interface AnalyticsHandle {
  /** Where the rows are, without a secret. */
  readonly place: string
  status(): ConsumerStatus
  start(): void
  progress(): Promise<StoredProgress>
  rebuild(onProgress: (progress: { done: number; total: number }) => void, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

export interface AuditRecord {
  query(request: AuditRequest): AuditLines
  check(): AuditCheck
  close(): void
}

export interface AccountsHandle {
  readonly accounts: Accounts
  readonly apiKeys: ApiKeys
  readonly pseudonyms: Pick<Pseudonyms, 'behind'>
  /** Has another key sign access tokens, at once and in running gateways too. */
  rotateTokenKey(options: { readonly dropOld: boolean }): TokenKeyRotation
  close(): Promise<void>
}

export interface GatewayParts {
  readonly api: NodeApi
  /** Of the node, where it is in this process. */
  readonly feed?: EventFeed | undefined
  readonly logger: Logger
  /** Of the node, where it is in this process: both write one record. */
  readonly audit?: Audit | undefined
  /** Of the node, where it is in this process. */
  readonly metrics?: Metrics & MetricsPage
  /** The node's statistics, where it computes any. */
  readonly stats?: StatQueries
}

export interface NodeHandle {
  readonly api: NodeApi
  /** From `start` on. */
  readonly feed?: EventFeed
  readonly info: NodeInfo
  /** Its statistics; null: it computes none. From `start` on. */
  readonly stats?: StatQueries | null
  /** Where whoever asks it in somebody's name records that. From `start` on. */
  readonly audit?: Audit
  /** Where its gateway counts as well. */
  readonly metrics?: Metrics & MetricsPage
  /** As in `NodeApi.status`, and costs nothing. */
  readonly sync: SyncStatus
  /** Rejects with an error that has a `code` and says what to do. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Resolves when the node must stop at once. */
  readonly failed: Promise<Error>
  /** Resolves when an operator asked the node to stop. */
  readonly stopRequested: Promise<void>
}

export interface GatewayHandle {
  readonly url: string
  /** Names are taken on trust. */
  readonly open: boolean
  /** The usual port was taken. */
  readonly fellBack: boolean
  stop(): Promise<void>
}

export interface GrapeOptions {
  readonly host: string
  readonly apiPort: number
  readonly dhtPort: number
  readonly bootstrap: readonly string[]
}

export interface GrapeHandle {
  readonly url: string
  readonly dhtAddress: string
  stop(): Promise<void>
}

export interface NodeTarget {
  /** "host:port". */
  readonly address: string
  /** The operator's token; null for a caller that shows an operator's certificate instead. */
  readonly token: string | null
  /** The node that must answer; null if any member may of a mesh that somebody of `home` has joined. */
  readonly nodeId: string | null
  readonly home: string | null
}

export interface NodeConnection {
  readonly api: NodeApi
  close(): Promise<void>
}

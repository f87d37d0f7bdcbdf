import type { Accounts } from '../../application/accounts/accounts.js'
import type { ApiKeys } from '../../application/accounts/api-keys.js'
import type { Logger } from '../../ports/logger.js'
import type { NodeApi } from '../../ports/node-api.js'
import type { NodeInfo } from '../../ports/peer-client.js'
import type { RepairReport } from '../../ports/repair-report.js'
import type { NodeSettings } from '../system/settings.js'

/** What the command line needs from outside: made where a process is put together, so that tests can pass fakes. */
export interface CliDeps {
  /** A node, not started yet. */
  createNode(settings: NodeSettings, options: { readonly logger: Logger }): Promise<NodeHandle>
  /** A Grape for several nodes to share, running. Rejects with an error that has a `code`. */
  startGrape(options: GrapeOptions, deps: { readonly logger: Logger }): Promise<GrapeHandle>
  /** A node of another process. Does not call it yet. */
  connect(target: NodeTarget): Promise<NodeConnection>
  /** Replaces the damaged database of a node that does not run. Rejects with an error that has a `code`. */
  repair(dataDir: string): Promise<RepairReport>
  /** A gateway's accounts, which a running gateway may have open too. Rejects with an error that has a `code`. */
  openAccounts(dataDir: string): Promise<AccountsHandle>
}

export interface AccountsHandle {
  readonly accounts: Accounts
  readonly apiKeys: ApiKeys
  close(): Promise<void>
}

export interface NodeHandle {
  readonly api: NodeApi
  readonly info: NodeInfo
  /** Rejects with an error that has a `code` and says what to do. */
  start(): Promise<void>
  stop(): Promise<void>
  /** Resolves when the node must die. */
  readonly failed: Promise<Error>
  /** Resolves when an operator asked the node to stop. */
  readonly stopRequested: Promise<void>
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
  readonly token: string
}

export interface NodeConnection {
  readonly api: NodeApi
  close(): Promise<void>
}

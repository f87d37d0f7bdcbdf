import type { BudgetLimits } from '../../src/application/budgets/sender-budgets.js'
import type { Audit } from '../../src/ports/audit/audit.js'
import type { AuditReader } from '../../src/ports/audit/audit-store.js'
import type { HandshakeCounts } from '../../src/ports/node/node-status.js'
import type { ConsumerStatus } from '../../src/ports/store/consumer-status.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'
import type { StatReader } from '../../src/ports/store/stat-reader.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Metrics } from '../../src/ports/system/metrics.js'

export interface ClusterOptions {
  readonly sharedLog: SharedLog
  readonly signer: ClusterSigner
}

export interface NodeConsumers {
  readonly statuses: () => readonly ConsumerStatus[]
  /** Null: the node computes no statistics. */
  readonly statReader: StatReader | null
}

export interface AuditOptions {
  readonly audit: Audit
  readonly reader: Pick<AuditReader, 'rows'>
}

export interface ComposeOptions {
  /** Nothing is recorded without. */
  readonly audited?: AuditOptions
  readonly dataDir: string
  readonly currencies: Readonly<Record<string, number>>
  readonly requestStop: () => void
  /** Other limits than those of `SENDER_BUDGETS`. */
  readonly budgets?: BudgetLimits
  /** Nothing is measured without. */
  readonly metrics?: Metrics
  /** How long a home waits, before it writes, for one of the peers that it knows; see `FirstComparison`. */
  readonly peerWaitMs?: number | undefined
  /** The cluster that the node belongs to; left out: none. */
  readonly cluster?: ClusterOptions | undefined
  /** What is computed from auctions' events beside the node; left out: nothing. */
  readonly consumers?: NodeConsumers | undefined
  readonly handshakes: () => HandshakeCounts | null
  /** The node must not go on. */
  readonly fail: (error: Error) => void
}

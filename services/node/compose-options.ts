import type { BudgetLimits } from '../../src/application/budgets/sender-budgets.js'
import type { ClusterStatus } from '../../src/ports/node/cluster-status.js'
import type { HandshakeCounts } from '../../src/ports/node/node-status.js'
import type { Metrics } from '../../src/ports/system/metrics.js'

export interface ComposeOptions {
  readonly dataDir: string
  readonly currencies: Readonly<Record<string, number>>
  readonly requestStop: () => void
  /** Other limits than those of `SENDER_BUDGETS`. */
  readonly budgets?: BudgetLimits
  /** Nothing is measured without. */
  readonly metrics?: Metrics
  /** How long a home waits, before it writes, for one of the peers that it knows; see `FirstComparison`. */
  readonly peerWaitMs?: number | undefined
  readonly handshakes: () => HandshakeCounts | null
  /** Of a node that belongs to one. */
  readonly cluster?: (() => ClusterStatus) | undefined
  /** The node must not go on. */
  readonly fail: (error: Error) => void
}

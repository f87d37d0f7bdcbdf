import type { BudgetLimits } from '../../src/application/budgets/sender-budgets.js'
import type { HandshakeCounts } from '../../src/ports/node/node-status.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Metrics } from '../../src/ports/system/metrics.js'

export interface ClusterOptions {
  readonly sharedLog: SharedLog
  readonly signer: ClusterSigner
}

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
  /** The cluster that the node belongs to; left out: none. */
  readonly cluster?: ClusterOptions | undefined
  readonly handshakes: () => HandshakeCounts | null
  /** The node must not go on. */
  readonly fail: (error: Error) => void
}

import { parentPort } from 'node:worker_threads'
import { readBodyAgain } from '../../application/log/written-body.js'
import { orderFault } from '../../application/orders/check-orders.js'
import { commitFault } from '../../application/orders/commit-fault.js'
import type { CommitCheck, CommitFault, OrderCheck } from '../../ports/mesh/order-checker.js'
import { Ed25519Verifier } from './node-key.js'

// The thread on which orders are checked, half of what there is to compute in a log, and large commits of others.

/** What it is asked: about a commit as it came, or about the orders of one whose text is sound. */
export type CheckRequest =
  | { readonly kind: 'commit'; readonly check: CommitCheck }
  | { readonly kind: 'orders'; readonly check: OrderCheck }

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread')
const verifier = new Ed25519Verifier()

port.on('message', (request: CheckRequest) => port.postMessage(faultOf(request)))

function faultOf({ kind, check }: CheckRequest): CommitFault | null {
  if (kind === 'commit') return commitFault(check, verifier)
  return orderFault(check, readBodyAgain(check.body), verifier)
}

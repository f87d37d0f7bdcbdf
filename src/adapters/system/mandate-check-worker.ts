import { parentPort } from 'node:worker_threads'
import { readBodyAgain } from '../../application/log/written-body.js'
import { mandateFault } from '../../application/submissions/check-mandates.js'
import { commitFault, textFault } from '../../application/submissions/commit-fault.js'
import type { Commit } from '../../domain/commit.js'
import type { CommitCheck, CommitFault, MandateCheck } from '../../ports/mesh/mandate-checker.js'
import { Ed25519Verifier } from './node-key.js'

// The thread on which mandates are checked, half of what there is to compute in a log, and large commits of others.

/** What it is asked: about a commit as it came, the mandates of one whose text is sound, or a text alone. */
export type CheckRequest =
  | { readonly kind: 'commit'; readonly check: CommitCheck }
  | { readonly kind: 'mandates'; readonly check: MandateCheck }
  | { readonly kind: 'text'; readonly check: Commit }

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread')
const verifier = new Ed25519Verifier()

port.on('message', (request: CheckRequest) => port.postMessage(faultOf(request)))

function faultOf({ kind, check }: CheckRequest): CommitFault | string | null {
  if (kind === 'text') return textFault(check)
  if (kind === 'commit') return commitFault(check, verifier)
  return mandateFault(check, readBodyAgain(check.body), verifier)
}

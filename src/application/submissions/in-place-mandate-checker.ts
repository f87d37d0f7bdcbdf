import type { Commit } from '../../domain/commit.js'
import type {
  CommitCheck,
  CommitFault,
  MandateCheck,
  MandateChecker,
  MandateFault,
} from '../../ports/mesh/mandate-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { readBodyAgain } from '../log/written-body.js'
import { mandateFault } from './check-mandates.js'
import { commitFault, textFault } from './commit-fault.js'

/**
 * Checks mandates where it is asked, with the verifier that it is given: for what has no second thread, or must not
 * have one.
 */
export class InPlaceMandateChecker implements MandateChecker {
  readonly #verifier: SignatureVerifier

  constructor(deps: { readonly verifier: SignatureVerifier }) {
    this.#verifier = deps.verifier
  }

  async check(commit: MandateCheck): Promise<MandateFault | null> {
    return mandateFault(commit, readBodyAgain(commit.body), this.#verifier)
  }

  async checkCommit(commit: CommitCheck): Promise<CommitFault | null> {
    return commitFault(commit, this.#verifier)
  }

  async checkText(commit: Commit): Promise<string | null> {
    return textFault(commit)
  }
}

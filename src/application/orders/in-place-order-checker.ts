import type {
  CommitCheck,
  CommitFault,
  OrderCheck,
  OrderChecker,
  OrderFault,
} from '../../ports/mesh/order-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { readBodyAgain } from '../log/written-body.js'
import { orderFault } from './check-orders.js'
import { commitFault } from './commit-fault.js'

/** Checks orders where it is asked, with the verifier that it is given: for what has no second thread, or must not have one. */
export class InPlaceOrderChecker implements OrderChecker {
  readonly #verifier: SignatureVerifier

  constructor(deps: { readonly verifier: SignatureVerifier }) {
    this.#verifier = deps.verifier
  }

  async check(commit: OrderCheck): Promise<OrderFault | null> {
    return orderFault(commit, readBodyAgain(commit.body), this.#verifier)
  }

  async checkCommit(commit: CommitCheck): Promise<CommitFault | null> {
    return commitFault(commit, this.#verifier)
  }
}

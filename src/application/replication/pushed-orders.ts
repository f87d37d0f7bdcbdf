import type { OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import type { OrderCheck, OrderChecker, OrderFault } from '../../ports/mesh/order-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { BadCommitError } from '../log/commit.js'
import type { CommitBody } from '../log/commit-body.js'
import { orderFault, orderRule } from '../orders/check-orders.js'
import { InOrderOf } from '../turns/in-order.js'

export interface PushedOrdersDeps {
  readonly orderChecker: OrderChecker
  readonly verifier: SignatureVerifier
}

/** Orders of one push that are checked at once: to hand over so few costs more than to check them. */
export const CHECKED_AT_ONCE = 32

/** Checks the orders of what one peer has pushed at once. */
export interface OrderRule {
  /** Null where nothing is wrong. Throws, or rejects with, `BadCommitError` otherwise; a promise where the check goes on elsewhere. */
  check(commit: Commit, body: CommitBody, state: OpenedAuction): Promise<void> | null
}

/**
 * Checks the orders of commits that peers push: a few at once, many beside the thread that serves. A peer has one commit there at a
 * time, so that whoever sends many of them keeps nobody waiting but itself.
 */
export class PushedOrders {
  readonly #deps: PushedOrdersDeps
  readonly #senders = new InOrderOf<string | null>()

  constructor(deps: PushedOrdersDeps) {
    this.#deps = deps
  }

  /** For one push of a peer, of any number of commits. */
  of(from: string | null): OrderRule {
    let left = CHECKED_AT_ONCE
    return {
      check: (commit, body, { seller, openedBy }) => {
        const { auctionId, signer } = commit
        const check: OrderCheck = { auctionId, body: commit.body, signer, seller, openedBy }
        if (body.orders.length > left) return this.#beside(from, commit, body, check)
        left -= body.orders.length
        throwFault(commit, body, orderFault(check, body, this.#deps.verifier))
        return null
      },
    }
  }

  async #beside(from: string | null, commit: Commit, body: CommitBody, check: OrderCheck): Promise<void> {
    throwFault(commit, body, await this.#senders.run(from, () => this.#deps.orderChecker.check(check)))
  }
}

function throwFault(commit: Commit, { events }: CommitBody, fault: OrderFault | null): void {
  if (fault === null) return
  const event = fault.kind === 'bad-signature' ? null : events[fault.event]
  const place = fault.kind === 'bad-signature' ? '' : `event ${commit.firstSeq + fault.event}: `
  throw new BadCommitError(commit, `${place}${orderRule(fault, event?.at ?? 0)}`)
}

import type { OpenedAuction } from '../../domain/auction.js'
import type { AuctionRepository } from '../../ports/store/auction-repository.js'
import type { RecordedOutcome } from '../../ports/store/outcome-repository.js'
import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { SharedLog } from '../../ports/store/shared-log.js'
import { fingerprintOf } from '../submissions/home-command.js'

export interface SignedRefusalsDeps {
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly receipts: Pick<ReceiptRepository, 'auctions' | 'list'>
  readonly sharedLog: Pick<SharedLog, 'record'>
}

export interface SignedRefusalsOptions {
  readonly nodeId: string
  /** Whether the log of this node's cluster decides about the auction. */
  readonly isShared: (state: OpenedAuction) => boolean
}

/** Signed answers that are read at once. */
const PAGE = 256

/**
 * Refusals stand in no commit, so no copy of the log brings them back. Their receipts do: what another home has signed
 * for this node's users is put back into a log that has lost its end, so that the next home answers the same.
 */
export class SignedRefusals {
  readonly #deps: SignedRefusalsDeps
  readonly #options: SignedRefusalsOptions

  constructor(deps: SignedRefusalsDeps, options: SignedRefusalsOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Of auctions that go on. Nothing is stored where another node has become the home. */
  async putBack(): Promise<void> {
    const { auctions, receipts } = this.#deps
    const { isShared, nodeId } = this.#options
    for (const auctionId of await receipts.auctions()) {
      const state = (await auctions.find(auctionId))?.state
      if (state === undefined || state.status === 'closed' || state.status === 'cancelled') continue
      if (isShared(state) && state.home.nodeId !== nodeId) await this.#putBackOf(auctionId, state.home.nodeId)
    }
  }

  async #putBackOf(auctionId: string, home: string): Promise<void> {
    const { receipts, sharedLog } = this.#deps
    for (let after: number | null = 0; after !== null; ) {
      const page: Awaited<ReturnType<ReceiptRepository['list']>> = await receipts.list({
        auctionId,
        after,
        limit: PAGE,
      })
      const refused = page.signed
        .filter((signed) => signed.home.nodeId === home)
        .flatMap((one) => refusals(one, auctionId))
      if (refused.length > 0) await sharedLog.record(home, refused)
      after = page.next
    }
  }
}

/** One under a used id is an answer to the second command, and not what has become of the first. */
function refusals({ receipts }: SignedReceipts, auctionId: string): RecordedOutcome[] {
  return receipts.flatMap(({ command, outcome }) => {
    if (outcome.auctionId !== auctionId || outcome.status !== 'rejected') return []
    return outcome.rejection.code === 'COMMAND_ID_REUSED' ? [] : [{ outcome, fingerprint: fingerprintOf(command) }]
  })
}

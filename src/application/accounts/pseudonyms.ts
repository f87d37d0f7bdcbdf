import type { Party } from '../../domain/party.js'
import type { Account, AccountRepository } from '../../ports/accounts/account-repository.js'
import type { PseudonymousBidRepository } from '../../ports/accounts/pseudonymous-bid-repository.js'
import { isPseudonym, pseudonymOf } from './pseudonym.js'

export interface PseudonymsDeps {
  readonly accounts: Pick<AccountRepository, 'find'>
  readonly pseudonymousBids: PseudonymousBidRepository
}

/** Records that are read in one go; requests of others are served in between. */
const PAGE = 500

/** The names under which accounts bid in auctions whose terms ask for pseudonyms, and where they have done so. */
export class Pseudonyms {
  readonly bids: PseudonymousBidRepository
  readonly #accounts: PseudonymsDeps['accounts']
  readonly #secret: string

  constructor(deps: PseudonymsDeps, options: { readonly secret: string }) {
    this.bids = deps.pseudonymousBids
    this.#accounts = deps.accounts
    this.#secret = options.secret
  }

  of(accountId: string, auctionId: string): Party {
    return pseudonymOf(accountId, { auctionId, secret: this.#secret })
  }

  /**
   * Who bids under this pseudonym's id, and where; null if it is not one of this gateway's. No pseudonym leads back to
   * its account: all accounts that have bid are tried, or only those of the auction if one is given.
   */
  async behind(
    pseudonymId: string,
    auctionId: string | null,
  ): Promise<{ readonly account: Account; readonly auctionId: string } | null> {
    if (!isPseudonym(pseudonymId)) return null
    for (let after = 0; ; ) {
      const page = await this.bids.noted(auctionId, { after, limit: PAGE })
      const found = page.find((bid) => this.of(bid.accountId, bid.auctionId).id === pseudonymId)
      const account = found && (await this.#accounts.find(found.accountId))
      if (found) return account ? { account, auctionId: found.auctionId } : null
      if (page.length < PAGE) return null
      after = page.at(-1)?.position ?? after
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

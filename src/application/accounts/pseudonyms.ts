import type { Party } from '../../domain/party.js'
import type { PseudonymousBidRepository } from '../../ports/pseudonymous-bid-repository.js'
import { pseudonymOf } from './pseudonym.js'

/** Under what names accounts bid in auctions whose terms ask for pseudonyms, and where they have done so. */
export class Pseudonyms {
  readonly bids: PseudonymousBidRepository
  readonly #secret: string

  constructor(
    { pseudonymousBids }: { readonly pseudonymousBids: PseudonymousBidRepository },
    options: { readonly secret: string },
  ) {
    this.bids = pseudonymousBids
    this.#secret = options.secret
  }

  of(accountId: string, auctionId: string): Party {
    return pseudonymOf(accountId, { auctionId, secret: this.#secret })
  }
}

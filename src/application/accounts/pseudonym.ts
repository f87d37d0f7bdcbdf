import { createHmac } from 'node:crypto'
import type { Party } from '../../domain/party.js'
import { base32 } from '../log/base32.js'

const PREFIX = 'anon_'
const ID_LENGTH = 26
const NAME_LENGTH = 4

/**
 * Who an account is in one auction whose terms ask for pseudonyms: the same for all its bids there, another in every
 * other auction, and not linkable to the account by anybody without the gateway's secret. Names are for people
 * and may collide; ids do not.
 */
export function pseudonymOf(
  accountId: string,
  { auctionId, secret }: { readonly auctionId: string; readonly secret: string },
): Party {
  const digest = createHmac('sha256', secret).update(`pseudonym\n${auctionId}\n${accountId}`).digest()
  const id = base32(digest, ID_LENGTH)
  return { id: `${PREFIX}${id}`, name: `Bidder ${id.slice(0, NAME_LENGTH).toUpperCase()}` }
}

/** Of this gateway or another one. */
export function isPseudonym(partyId: string): boolean {
  return partyId.startsWith(PREFIX)
}

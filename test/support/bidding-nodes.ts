import { generateKeyPairSync } from 'node:crypto'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { nodeIdOf } from '../../src/application/ids.js'
import { bidDigest, type CommittedOrder, orderText, type SignedOrder } from '../../src/application/order.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import type { Party } from '../../src/domain/party.js'

const NODES = Array.from({ length: 7 }, (_, i) => {
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey)
  return { party: { id: nodeIdOf(signer.publicKey), name: `Bidder ${i}` }, signer }
})

/** Users of nodes, each with the key of its node. */
export const BIDDERS: readonly Party[] = NODES.map(({ party }) => party)

/** The orders of a commit with these events, as if the bids of each node in it had come with one request. */
export function ordersOf(auctionId: string, events: readonly AuctionEvent[]): CommittedOrder[] {
  return NODES.flatMap(({ party, signer }) => {
    const own = events.filter((event) => 'bidder' in event && event.bidder.id === party.id)
    const digests = own.map((event) => bidDigest(auctionId, event) ?? '')
    const signedAt = own[0]?.at
    if (signedAt === undefined) return []
    const signature = signer.sign(orderText(auctionId, signedAt, digests))
    return [committed(auctionId, { signer: signer.publicKey, signedAt, digests, signature }, events)]
  })
}

/** The order as it stands in a commit with these events. */
export function committed(
  auctionId: string,
  { digests, ...order }: SignedOrder,
  events: readonly AuctionEvent[],
): CommittedOrder {
  const places = new Map(events.map((event, i) => [bidDigest(auctionId, event), i]))
  return { ...order, commands: digests.map((digest) => places.get(digest) ?? digest) }
}

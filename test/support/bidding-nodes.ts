import { generateKeyPairSync } from 'node:crypto'
import { signerOf } from '../../src/adapters/system/node-key.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import type { CommittedMandate } from '../../src/application/log/written-body.js'
import {
  eventDigest,
  mandateText,
  type SellerFacts,
  type SignedMandate,
} from '../../src/application/submissions/mandate.js'
import { type AuctionEvent, commandIdOf } from '../../src/domain/events.js'
import type { Party } from '../../src/domain/party.js'
import type { Signer } from '../../src/ports/system/signer.js'

const NODES = Array.from({ length: 7 }, (_, i) => {
  const signer = signerOf(generateKeyPairSync('ed25519').privateKey)
  return { party: { id: nodeIdOf(signer.publicKey), name: `Bidder ${i}` }, signer }
})

/** Users of nodes, each with the key of its node. */
export const BIDDERS: readonly Party[] = NODES.map(({ party }) => party)

/** A seller who is a node's user. */
export function sellerOf({ publicKey }: Signer): SellerFacts {
  const id = nodeIdOf(publicKey)
  return { seller: { id, name: 'Seller' }, openedBy: id, keptByCluster: false }
}

/** The mandates of a commit with these events, as if what each node has brought had come with one request. */
export function mandatesOf(auctionId: string, events: readonly AuctionEvent[], seller: Signer): CommittedMandate[] {
  const facts = sellerOf(seller)
  const nodes = [...NODES, { party: facts.seller, signer: seller }]
  return nodes.flatMap(({ party, signer }) => {
    const own = events.filter(
      (event) => commandIdOf(event) !== null && ('bidder' in event ? event.bidder : facts.seller).id === party.id,
    )
    const digests = own.map((event) => eventDigest(auctionId, event, facts) ?? '')
    const signedAt = own[0]?.at
    if (signedAt === undefined) return []
    const signature = signer.sign(mandateText(auctionId, signedAt, digests))
    return [committed(auctionId, { signer: signer.publicKey, signedAt, digests, signature }, events, facts)]
  })
}

/** The mandates of these events, as if each had come with a request of its own. */
export function mandatesEach(auctionId: string, events: readonly AuctionEvent[], seller: Signer): CommittedMandate[] {
  return events.flatMap((event, i) =>
    mandatesOf(auctionId, [event], seller).map((mandate) => ({ ...mandate, commands: [i] })),
  )
}

/** The mandate as it stands in a commit with these events. */
export function committed(
  auctionId: string,
  { digests, ...mandate }: SignedMandate,
  events: readonly AuctionEvent[],
  facts: SellerFacts,
): CommittedMandate {
  const places = new Map(events.map((event, i) => [eventDigest(auctionId, event, facts), i]))
  return { ...mandate, commands: digests.map((digest) => places.get(digest) ?? digest) }
}

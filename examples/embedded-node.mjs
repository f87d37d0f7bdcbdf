// Nodes inside another program: a service that sells, and two that bid. Each could be a process of its own; those of
// one home join its mesh by themselves, others with a token (`vendue mesh invite`, and `joinToken` here).
//
//   node examples/embedded-node.mjs
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode } from 'vendue'

const home = mkdtempSync(join(tmpdir(), 'vendue-example-'))
const mesh = process.env.VENDUE_MESH ?? `example-${process.pid}`
const nodeOf = (name, bootstrap) => createNode({ name, mesh, home, bootstrap })

const shop = await nodeOf('shop').start()
const bidders = await Promise.all(['anna', 'ben'].map((name) => nodeOf(name, [shop.dhtAddress]).start()))
const [anna, ben] = bidders

/** The next event of a type that fits. */
const next = (node, type, fits = () => true) =>
  new Promise((resolve) => {
    const off = node.on(type, (event) => {
      if (!fits(event)) return
      off()
      resolve(event)
    })
  })

try {
  // The shop hears of its own auctions, the bidders of the others'.
  shop.on('bid_placed', ({ own, bidder, price, currency }) => {
    console.log(`shop: ${bidder.name} bids, now ${price} ${currency}${own ? ' (own auction)' : ''}`)
  })
  const heard = bidders.map((node) => next(node, 'auction_opened'))
  const finals = bidders.map((node) => next(node, 'auction_closed'))

  // Initiate.
  const opened = await shop.open({ title: 'Pic#1', currency: 'USDT', start: '75', increment: '0.5' })
  console.log(`shop: opened ${opened.auction.title} at ${opened.auction.startPrice} ${opened.auction.currency}`)
  for (const { title, own } of await Promise.all(heard)) console.log(`bidder: heard of ${title}, own: ${own}`)
  const { auctionId } = opened.auction

  // Others bid; a bid that is too low is an outcome that says what would do.
  await anna.bid(auctionId, '75')
  await ben.bid(auctionId, '75.5')
  const low = await anna.bid(auctionId, '75.6')
  console.log(`anna: ${low.code}, ${low.next}`)
  await anna.bid(auctionId, '80')

  // Finalize: the winner stands in the reply, and everybody is told.
  const closed = await shop.close(auctionId)
  console.log(`shop: sold to ${closed.auction.winner.name} for ${closed.auction.finalPrice} ${closed.auction.currency}`)
  for (const [i, { result, currency }] of (await Promise.all(finals)).entries()) {
    const { name, id } = bidders[i]
    console.log(`${name}: ${result.winner.id === id ? 'won' : 'lost'} at ${result.price} ${currency}`)
  }
} finally {
  // Lets go of everything: the process ends by itself.
  await Promise.all([anna, ben, shop].map((node) => node.stop()))
  rmSync(home, { recursive: true, force: true })
}

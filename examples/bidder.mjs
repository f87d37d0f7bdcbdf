// Bids on an auction through gateways, step by step up to a limit, and says how it ended.
//
//   node examples/bidder.mjs AUCTION LIMIT [NAME]       with VENDUE_GATEWAYS=http://127.0.0.1:8080,http://...
import { compareAmounts, createClient, formatMoney, formatRemaining, UnknownOutcome } from 'vendue/client'

const [auctionId, limit, name = 'anna'] = process.argv.slice(2)
if (!auctionId || !limit) {
  console.error('usage: node examples/bidder.mjs AUCTION LIMIT [NAME]')
  process.exit(2)
}
const gateways = (process.env.VENDUE_GATEWAYS ?? 'http://127.0.0.1:8080').split(',')
// With accounts: `await client.accounts.login({ username, password })`, or `apiKey`, instead of a name taken on trust.
const client = createClient({ gateways, user: name })
client.on('connection', ({ state, gateway, reason }) => {
  console.log(`${state} ${gateway}${reason ? `: ${reason}` : ''}`)
})

/** Bids the least that does, while the limit allows it. */
async function bid(minimum, currency) {
  if (minimum === null || compareAmounts(minimum, limit) > 0) return console.log(`out: ${minimum} is past the limit`)
  try {
    // Settled by itself: however often connections break meanwhile, there is one bid and its outcome.
    const outcome = await client.bid(auctionId, minimum)
    if (outcome.status === 'accepted') {
      console.log(`bid ${formatMoney(minimum, currency)}: ${outcome.leads ? 'leading' : 'outbid at once'}`)
      if (!outcome.leads) await bid((await client.show(auctionId)).minimum, currency)
    } else {
      console.log(`refused, ${outcome.code}: ${outcome.reason}`)
      if (outcome.code === 'BID_TOO_LOW') await bid(outcome.minimum, currency)
    }
  } catch (error) {
    if (error instanceof UnknownOutcome) console.log(`unknown: ask again with the id ${error.commandId}`)
    else throw error
  }
}

try {
  const watch = await client.watch(auctionId)
  const { auction } = watch
  const { id: me } = await client.me()
  const left = client.clock.remainingMs(auction.closes_at)
  console.log(`${auction.title}: ${left === null ? 'until the seller closes it' : `${formatRemaining(left)} left`}`)
  if (auction.status === 'open' && auction.leader?.id !== me) await bid(auction.minimum, auction.currency)
  if (auction.status === 'open' || auction.status === 'scheduled') {
    for await (const event of watch) {
      if (event.type === 'bid_placed' && event.leader.id !== me) await bid(event.minimum, event.currency)
      if (event.type === 'auction_cancelled') break
      if (event.type !== 'auction_closed') continue
      const { result, currency } = event
      if (!result.sold) console.log('not sold')
      else if (result.winner.id === me) console.log(`won for ${formatMoney(result.price, currency)}`)
      else console.log(`lost: ${result.winner.name} won for ${formatMoney(result.price, currency)}`)
      break
    }
  }
} finally {
  client.close()
}

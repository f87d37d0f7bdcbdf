// Shows the prices of all auctions as they move, through whichever gateway serves, until Ctrl-C.
//
//   node examples/price-watcher.mjs       with VENDUE_GATEWAYS=http://127.0.0.1:8080,http://...
import { createClient, formatMoney } from 'vendue/client'

const gateways = (process.env.VENDUE_GATEWAYS ?? 'http://127.0.0.1:8080').split(',')
const client = createClient({ gateways })
client.on('connection', ({ state, gateway, reason }) => {
  console.log(`${state} ${gateway}${reason ? `: ${reason}` : ''}`)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => client.close())

const watch = client.watchAll()
watch.on('auction_opened', ({ title, start_price, currency }) => {
  console.log(`${title}: new, from ${formatMoney(start_price, currency)}`)
})
watch.on('bid_placed', ({ title, price, leader, currency }) => {
  console.log(`${title}: ${formatMoney(price, currency)} (${leader.name})`)
})
watch.on('auction_closed', ({ title, result, currency }) => {
  console.log(
    result.sold
      ? `${title}: sold to ${result.winner.name} for ${formatMoney(result.price, currency)}`
      : `${title}: not sold`,
  )
})

// How things stand; what moves from here on is told by the events.
const { auctions } = await client.list({ status: ['open'] })
for (const { title, price, start_price, currency } of auctions) {
  console.log(`${title}: ${formatMoney(price ?? start_price, currency)}`)
}

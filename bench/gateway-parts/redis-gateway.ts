import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { checkRules, RedisBids, type RedisOutcome } from './redis-bids.js'
import { serveParent } from './serve-parent.js'

// A gateway of the usual design: each bid is asked of a script in Redis, and its answer says what that said. Nothing is
// signed, no receipt is kept, nobody else is told. Its parent sends where Redis is, and is told the port.

export interface RedisGatewaySetup {
  readonly socketPath: string
  readonly auctionId: string
}

const AN_HOUR_MS = 3_600_000

serveParent(async (setup: RedisGatewaySetup) => ({ port: await serve(setup) }))

async function serve({ socketPath, auctionId }: RedisGatewaySetup): Promise<number> {
  const bids = await RedisBids.connect(socketPath)
  await checkRules(bids)
  await bids.open(auctionId, { start: 1, increment: 1, endsAt: Date.now() + AN_HOUR_MS })
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', (socket, request) => {
    const bidder = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('user_id') ?? ''
    socket.on('message', (data) => {
      const bid = JSON.parse(data.toString()) as { auction_id: string; bid_id: string; amount: string }
      bids.place(bid.auction_id, bid.bid_id, bidder, toCents(bid.amount)).then(
        (outcome) => socket.send(answer(bid.bid_id, bidder, outcome)),
        (error: unknown) => {
          console.error(error)
          process.exit(1)
        },
      )
    })
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function answer(bidId: string, bidder: string, { code, cents }: RedisOutcome): string {
  const amount = `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
  return JSON.stringify(
    code === 'ACCEPTED'
      ? {
          type: 'bid_accepted',
          bid_id: bidId,
          current_bid: amount,
          current_winner: bidder,
          timestamp: new Date(),
        }
      : { type: 'bid_rejected', bid_id: bidId, code, minimum: amount },
  )
}

function toCents(amount: string): number {
  const [units = '', fraction = ''] = amount.split('.')
  return Number(units + fraction.padEnd(2, '0').slice(0, 2))
}

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { WebSocketServer } from 'ws'
import { serveParent } from './serve-parent.js'

// A gateway of the usual design: each bid is a transaction that locks the auction's row, compares, and stores the bid.
// Nothing is signed, no receipt is kept, nobody else is told. Its parent sends where PostgreSQL is, and is told the port.

export interface RowLockGatewaySetup {
  readonly connectionString: string
  readonly auctionId: string
}

/** As pools are usually set: more only wait for the row. */
const MAX_CLIENTS = 20
const SCHEMA = `
  CREATE TABLE auctions (id text PRIMARY KEY, price bigint NOT NULL, leader text);
  CREATE TABLE bids (id text PRIMARY KEY, auction_id text NOT NULL, bidder text NOT NULL, amount bigint NOT NULL,
    at timestamptz NOT NULL DEFAULT now());`

serveParent(async (setup: RowLockGatewaySetup) => ({ port: await serve(setup) }))

async function serve({ connectionString, auctionId }: RowLockGatewaySetup): Promise<number> {
  const pool = new pg.Pool({ connectionString, max: MAX_CLIENTS })
  await pool.query(SCHEMA)
  await pool.query('INSERT INTO auctions (id, price) VALUES ($1, 0)', [auctionId])
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false })
  server.on('connection', (socket, request) => {
    const bidder = new URL(request.url ?? '/', 'ws://localhost').searchParams.get('user_id') ?? ''
    socket.on('message', (data) => {
      const bid = JSON.parse(data.toString()) as { auction_id: string; bid_id: string; amount: string }
      const amount = Math.round(Number(bid.amount) * 100)
      place(pool, { auctionId: bid.auction_id, bidId: bid.bid_id, bidder, amount }).then(
        (price) => socket.send(answer(bid.bid_id, bidder, price, amount)),
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

interface Bid {
  readonly auctionId: string
  readonly bidId: string
  readonly bidder: string
  readonly amount: number
}

/** The price that the bid had to beat. */
async function place(pool: pg.Pool, { auctionId, bidId, bidder, amount }: Bid): Promise<number> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const lock = { name: 'lock', text: 'SELECT price FROM auctions WHERE id = $1 FOR UPDATE', values: [auctionId] }
    const price = Number((await client.query<{ price: string }>(lock)).rows[0]?.price)
    if (amount > price) {
      const text = 'INSERT INTO bids (id, auction_id, bidder, amount) VALUES ($1, $2, $3, $4)'
      await client.query({ name: 'bid', text, values: [bidId, auctionId, bidder, amount] })
      const lead = 'UPDATE auctions SET price = $2, leader = $3 WHERE id = $1'
      await client.query({ name: 'lead', text: lead, values: [auctionId, amount, bidder] })
    }
    await client.query('COMMIT')
    return price
  } finally {
    client.release()
  }
}

function answer(bidId: string, bidder: string, price: number, amount: number): string {
  return JSON.stringify(
    amount > price
      ? {
          type: 'bid_accepted',
          bid_id: bidId,
          current_bid: amount / 100,
          current_winner: bidder,
          timestamp: new Date(),
        }
      : { type: 'bid_rejected', bid_id: bidId, code: 'BID_TOO_LOW', minimum: (price + 1) / 100 },
  )
}

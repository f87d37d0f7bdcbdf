import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { create, fromBinary, toBinary } from '@bufbuild/protobuf'
import { PlaceBidRequestSchema, PlaceBidResponseSchema } from '../../gen/vendue/v1/auctions_pb.js'
import { percentile } from '../latency.js'
import type { BidFigures, BidLoad } from './bid-client.js'
import { serveParent } from './serve-parent.js'

/* As bid-client.ts, over gRPC: each connection keeps one call under way. HTTP/2 by hand, so that the server is measured. */

serveParent(run)

/** Before a message: not compressed, and its length. */
const PREFIX_BYTES = 5
/** Cents, one more with each bid: whichever arrives first leads. */
let amount = 0

async function run({ url, auctionId, connections, warmUpMs, ms }: BidLoad): Promise<BidFigures> {
  const count = { accepted: 0, rejected: 0, failed: 0 }
  const samples: number[] = []
  let measuring = false
  let running = true
  const sessions = await Promise.all(
    Array.from({ length: Math.max(2, connections) }, async () => {
      const session = connect(url)
      await once(session, 'connect')
      return session
    }),
  )
  const keepBidding = async (i: number) => {
    for (let turn = i; running; turn = connections === 1 ? 1 - turn : turn) {
      const sentAt = performance.now()
      const outcome = await bid(sessions[turn] as ClientHttp2Session, turn, auctionId)
      if (!measuring) continue
      samples.push(performance.now() - sentAt)
      count[outcome] += 1
    }
  }
  const bidding = Promise.all(Array.from({ length: connections }, (_, i) => keepBidding(i)))
  await sleep(warmUpMs)
  measuring = true
  const startedAt = performance.now()
  await sleep(ms)
  measuring = false
  const seconds = (performance.now() - startedAt) / 1_000
  running = false
  await bidding
  for (const session of sessions) session.destroy()
  return { ...count, seconds, p50_ms: percentile(samples, 0.5), p99_ms: percentile(samples, 0.99) }
}

function bid(
  session: ClientHttp2Session,
  bidder: number,
  auctionId: string,
): Promise<keyof Omit<BidFigures, 'seconds' | 'p50_ms' | 'p99_ms'>> {
  amount += 1
  const text = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
  const idempotencyKey = `bid_${process.pid}-${String(amount).padStart(8, '0')}`
  const message = toBinary(
    PlaceBidRequestSchema,
    create(PlaceBidRequestSchema, { auctionId, amount: text, idempotencyKey }),
  )
  const body = Buffer.alloc(PREFIX_BYTES + message.length)
  body.writeUInt32BE(message.length, 1)
  body.set(message, PREFIX_BYTES)
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let status = ''
    const stream = session.request({
      ':method': 'POST',
      ':path': '/vendue.v1.AuctionService/PlaceBid',
      'content-type': 'application/grpc+proto',
      'x-vendue-user': `bidder${bidder}`,
      te: 'trailers',
    })
    stream.on('data', (piece: Buffer) => pieces.push(piece))
    const take = (headers: object) => {
      status = String((headers as { 'grpc-status'?: string })['grpc-status'] ?? status)
    }
    stream.on('response', take)
    stream.on('trailers', take)
    stream.on('error', () => resolve('failed'))
    stream.on('end', () => {
      if (status !== '0') return resolve(status === FAILED_PRECONDITION ? 'rejected' : 'failed')
      const { outcome } = fromBinary(PlaceBidResponseSchema, Buffer.concat(pieces).subarray(PREFIX_BYTES))
      resolve(outcome?.leads === undefined ? 'failed' : 'accepted')
    })
    stream.end(body)
  })
}

const FAILED_PRECONDITION = '9'

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

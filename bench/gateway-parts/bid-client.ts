import { once } from 'node:events'
import { WebSocket } from 'ws'
import { percentile } from '../latency.js'
import { serveParent } from './serve-parent.js'

/** What the parent asks for: each connection keeps one bid under way until the time is over. */
export interface BidLoad {
  readonly url: string
  readonly auctionId: string
  /** One for each connection; names on trust otherwise. */
  readonly tokens?: readonly string[]
  readonly connections: number
  readonly warmUpMs: number
  readonly ms: number
}

export interface BidFigures {
  readonly accepted: number
  readonly rejected: number
  readonly failed: number
  readonly seconds: number
  readonly p50_ms: number
  readonly p99_ms: number
}

serveParent(run)

/** Cents, one more with each bid: whichever arrives first leads. */
let amount = 0

async function run({ url, auctionId, tokens, connections, warmUpMs, ms }: BidLoad): Promise<BidFigures> {
  const count = { accepted: 0, rejected: 0, failed: 0 }
  const samples: number[] = []
  let measuring = false
  let running = true
  let underWay = 0
  let ended: () => void = () => {}
  // Whoever leads does not bid against himself, so the one connection of a lonely bidder is two that take turns.
  const sockets = await Promise.all(
    Array.from({ length: Math.max(2, connections) }, async (_, i) => {
      const token = tokens?.[i]
      const socket = new WebSocket(token === undefined ? `${url}?user_id=bidder${i}` : url, {
        perMessageDeflate: false,
        ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      })
      await once(socket, 'open')
      return socket
    }),
  )
  const sentAt = new Float64Array(sockets.length)
  const bid = (i: number) => {
    amount += 1
    underWay += 1
    sentAt[i] = performance.now()
    const text = `${Math.floor(amount / 100)}.${String(amount % 100).padStart(2, '0')}`
    sockets[i]?.send(
      `{"type":"place_bid","auction_id":"${auctionId}","amount":"${text}","bid_id":"bid_${process.pid}-${amount}"}`,
    )
  }
  const next = (i: number) => (connections === 1 ? 1 - i : i)
  sockets.forEach((socket, i) => {
    socket.on('message', (data) => {
      const text = data.toString()
      const isAccepted = text.startsWith('{"type":"bid_accepted"')
      const isRejected = text.startsWith('{"type":"bid_rejected"')
      if (!isAccepted && !isRejected && !text.startsWith('{"type":"bid_unknown"')) return
      underWay -= 1
      if (measuring) {
        samples.push(performance.now() - (sentAt[i] ?? 0))
        if (isAccepted) count.accepted += 1
        else if (isRejected && text.includes('"BID_TOO_LOW"')) count.rejected += 1
        else count.failed += 1
      }
      if (running) bid(next(i))
      else if (underWay === 0) ended()
    })
  })
  for (let i = 0; i < connections; i++) bid(i)
  await sleep(warmUpMs)
  measuring = true
  const startedAt = performance.now()
  await sleep(ms)
  measuring = false
  const seconds = (performance.now() - startedAt) / 1_000
  running = false
  if (underWay > 0) await new Promise<void>((resolve) => (ended = resolve))
  for (const socket of sockets) socket.terminate()
  return { ...count, seconds, p50_ms: percentile(samples, 0.5), p99_ms: percentile(samples, 0.99) }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

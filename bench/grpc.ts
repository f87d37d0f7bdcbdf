import { loadavg } from 'node:os'
import type { BenchRun } from './bench-result.js'
import type { BidFigures, BidLoad } from './gateway-parts/bid-client.js'
import { Child } from './gateway-parts/child.js'
import { cpuOf, measure, rateOf, startGateway } from './gateway-parts/gateway-process.js'

const CONNECTIONS = 50
const WARM_UP_MS = 1_500
const MEASURE_MS = 4_000
/** In turns with the WebSocket, so that what else the machine does falls on both; the middle one counts. */
const ROUNDS = 5
const LEAST_SHARE = 0.8

/** Unary bids over gRPC to a node with its gateway, beside the same bids over WebSocket to the same one. */
export async function* run(): BenchRun {
  const load = { connections: CONNECTIONS, warmUpMs: WARM_UP_MS, ms: MEASURE_MS }
  const gateway = await startGateway()
  try {
    const rounds: { bids: BidFigures; sockets: BidFigures; share: number; cpuUs: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      yield `gRPC, round ${round + 1} of ${ROUNDS}`
      const sockets = await measure({ ...load, url: `${gateway.url}/ws`, auctionId: await gateway.open() })
      const before = cpuOf(gateway.node.pid)
      const bids = await called({
        ...load,
        url: gateway.url.replace('ws', 'http'),
        auctionId: await gateway.open(),
      })
      const answered = ((bids.accepted + bids.rejected) * (WARM_UP_MS + MEASURE_MS)) / MEASURE_MS
      const cpuUs = (cpuOf(gateway.node.pid) - before) / answered
      rounds.push({ bids, sockets, share: rateOf(bids) / rateOf(sockets), cpuUs })
    }
    rounds.sort((a, b) => a.share - b.share)
    const { bids, sockets, share, cpuUs } = rounds[ROUNDS >> 1] as (typeof rounds)[number]
    const { p50_ms, p99_ms, rejected, failed } = bids
    const level = `${CONNECTIONS} connections`
    yield {
      name: `durable bids over gRPC, ${level}`,
      unit: 'acknowledged bids/s',
      value: rateOf(bids),
      figures: { p50_ms, p99_ms, rejected, failed, cpu_us_a_bid: cpuUs, load_average: loadavg()[0] ?? 0 },
    }
    yield {
      name: `the same as a share of those over WebSocket, ${level}`,
      unit: 'of 1',
      value: share,
      figures: {
        websocket_per_s: rateOf(sockets),
        rounds: ROUNDS,
        lowest: rounds[0]?.share ?? 0,
        highest: rounds.at(-1)?.share ?? 0,
      },
      target: { atLeast: LEAST_SHARE },
    }
  } finally {
    await gateway.end()
  }
}

async function called(load: BidLoad): Promise<BidFigures> {
  const { child } = await Child.start('grpc-bid-client')
  try {
    return await child.ask<BidFigures>(load)
  } finally {
    child.end()
  }
}

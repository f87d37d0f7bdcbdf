import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { WebSocket } from 'ws'
import { eventually } from '../test/support/eventually.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { bidsWithAccounts } from './gateway-parts/accounts.js'
import type { BidFigures } from './gateway-parts/bid-client.js'
import { Child } from './gateway-parts/child.js'
import { cpuOf, echoed, type Gateway, measure, rateOf, startGateway } from './gateway-parts/gateway-process.js'
import { besideRedis, hasRedis } from './gateway-parts/redis.js'
import type { WatcherLoad, WatcherReport } from './gateway-parts/watchers.js'
import { percentile } from './latency.js'

const LEVELS = [1, 50, 500]
const WARM_UP_MS = 1_500
const MEASURE_MS = 4_000
/** In turns with the echo, so that what else the machine does falls on both; the middle one counts. */
const ROUNDS = 5
/** Of the echo, at the highest level. */
const LEAST_SHARE = 0.5
const WATCHERS = 5_000
const WATCHER_PROCESSES = 3
const BIDS_PER_S = 200
const FAN_OUT_BIDS = 1_000
const MOST_FAN_OUT_MS = 250
const IDLE_CONNECTIONS = 2_000

/**
 * Bids over WebSocket to a node with its gateway, each a process, each answer after the disk; beside them the same
 * client with a server that only echoes, and, where redis-server is there, one that asks a script in Redis. Then many
 * watchers of one auction, and what a connection takes that does nothing.
 */
export async function* run(): BenchRun {
  const withRedis = hasRedis()
  for (const connections of LEVELS) yield* bidding(connections, withRedis)
  const load = { connections: Math.max(...LEVELS), warmUpMs: WARM_UP_MS, ms: MEASURE_MS }
  yield* bidsWithAccounts({ load, start: startGateway, measure })
  for (const mode of ['all', 'newest'] as const) {
    yield `${WATCHERS} watchers (${mode})`
    yield await fanOut(mode)
  }
  yield `${IDLE_CONNECTIONS} idle connections`
  yield await idle()
}

async function* bidding(connections: number, withRedis: boolean): BenchRun {
  const load = { connections, warmUpMs: WARM_UP_MS, ms: MEASURE_MS }
  const rounds: { bids: BidFigures; echo: BidFigures; share: number; cpuUs: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    yield `${connections} connections, round ${round + 1} of ${ROUNDS}`
    const echo = await echoed(load)
    const gateway = await startGateway()
    try {
      const auctionId = await gateway.open()
      const before = cpuOf(gateway.node.pid)
      const bids = await measure({ ...load, url: `${gateway.url}/ws`, auctionId })
      // About: of what came while it warmed up nothing is known but how long that was.
      const answered = ((bids.accepted + bids.rejected) * (WARM_UP_MS + MEASURE_MS)) / MEASURE_MS
      const cpuUs = (cpuOf(gateway.node.pid) - before) / answered
      rounds.push({ bids, echo, share: rateOf(bids) / rateOf(echo), cpuUs })
    } finally {
      await gateway.end()
    }
  }
  rounds.sort((a, b) => a.share - b.share)
  const { bids, echo, share, cpuUs } = rounds[rounds.length >> 1] as (typeof rounds)[number]
  const rate = rateOf(bids)
  const { p50_ms, p99_ms, rejected, failed } = bids
  const level = `${connections} connection${connections === 1 ? '' : 's'}`
  yield {
    name: `durable bids over WebSocket, ${level}`,
    unit: 'acknowledged bids/s',
    value: rate,
    figures: { p50_ms, p99_ms, rejected, failed, cpu_us_a_bid: cpuUs, load_average: loadavg()[0] ?? 0 },
  }
  yield {
    name: `the same as a share of a bare ws echo, ${level}`,
    unit: 'of 1',
    value: share,
    figures: {
      echo_per_s: rateOf(echo),
      echo_p50_ms: echo.p50_ms,
      echo_p99_ms: echo.p99_ms,
      rounds: rounds.length,
      lowest: rounds[0]?.share ?? 0,
      highest: rounds.at(-1)?.share ?? 0,
    },
    ...(connections === LEVELS.at(-1) && { target: { atLeast: LEAST_SHARE } }),
  }
  if (withRedis) yield* besideRedis(load, measure, { level, ownRate: rate })
}

/** From the acknowledgement of each bid until the last of all watchers, in several processes, has heard of it. */
async function fanOut(mode: 'all' | 'newest'): Promise<BenchResult> {
  const gateway = await startGateway()
  const children: Child[] = []
  try {
    const auctionId = await gateway.open()
    for (let i = 0; i < WATCHER_PROCESSES; i++) {
      const { child } = await Child.start('watchers')
      children.push(child)
      const connections = Math.ceil((WATCHERS - i) / WATCHER_PROCESSES)
      const url = `${gateway.url}/ws/auction/${auctionId}?presence=false&mode=${mode}`
      await child.ask({ url, connections } satisfies WatcherLoad)
    }
    const acknowledged = await paced(gateway.url, auctionId)
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    const reports = await Promise.all(children.map((child) => child.ask<WatcherReport>('report')))
    const heard = reports.map(({ lastHeard }) => new Map(lastHeard.map(([seq, at, count]) => [seq, { at, count }])))
    const delays: number[] = []
    let missing = 0
    for (const [seq, at] of acknowledged) {
      const entries = heard.map((own) => own.get(seq))
      if (entries.reduce((sum, entry) => sum + (entry?.count ?? 0), 0) < WATCHERS) missing += 1
      else delays.push(Math.max(0, ...entries.map((entry) => (entry?.at ?? 0) - at)))
    }
    return {
      name: `acknowledgement until the last of ${WATCHERS} watchers (${mode}), ${BIDS_PER_S} bids/s`,
      unit: 'ms (p99)',
      value: missing > 0 ? Number.POSITIVE_INFINITY : percentile(delays, 0.99),
      figures: {
        p50_ms: percentile(delays, 0.5),
        bids: acknowledged.size,
        not_heard_by_all: missing,
        messages_per_s: reports.reduce((sum, { messages }) => sum + messages, 0) / (FAN_OUT_BIDS / BIDS_PER_S),
        load_average: loadavg()[0] ?? 0,
      },
      target: { atMost: MOST_FAN_OUT_MS },
    }
  } finally {
    for (const child of children) child.end()
    await gateway.end()
  }
}

/**
 * Bids at a steady rate over one connection, each below what somebody else left as a maximum, so that it stands and the
 * next one is not a bid against oneself. When each was acknowledged, by its seq.
 */
async function paced(url: string, auctionId: string): Promise<ReadonlyMap<number, number>> {
  const acknowledged = new Map<number, number>()
  let answered = 0
  const connect = async (user: string) => {
    const socket = new WebSocket(`${url}/ws?user_id=${user}`, { perMessageDeflate: false })
    socket.on('message', (data) => {
      const { type, seq } = JSON.parse(data.toString()) as { type: string; seq?: number }
      if (type.startsWith('bid_')) answered += 1
      if (type === 'bid_accepted' && seq !== undefined)
        acknowledged.set(seq, performance.timeOrigin + performance.now())
    })
    await once(socket, 'open')
    return socket
  }
  const bid = { type: 'place_bid', auction_id: auctionId }
  const rival = await connect('rival')
  rival.send(JSON.stringify({ ...bid, amount: 10 * FAN_OUT_BIDS, kind: 'max' }))
  await eventually('the maximum stands', () => answered === 1, 30_000)
  const bidder = await connect('bidder')
  const startedAt = performance.now()
  for (let i = 1; i <= FAN_OUT_BIDS; i++) {
    const wait = startedAt + (i * 1_000) / BIDS_PER_S - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    bidder.send(JSON.stringify({ ...bid, amount: 2 * i, bid_id: `bid_fan-out-${i}` }))
  }
  await eventually('all are answered', () => answered > FAN_OUT_BIDS, 30_000)
  rival.terminate()
  bidder.terminate()
  return acknowledged
}

async function idle(): Promise<BenchResult> {
  const gateway = await startGateway()
  const { child } = await Child.start('watchers')
  try {
    const before = await settledMemory(gateway)
    await child.ask({ url: `${gateway.url}/ws`, connections: IDLE_CONNECTIONS } satisfies WatcherLoad)
    const after = await settledMemory(gateway)
    return {
      name: 'memory of an idle WebSocket connection',
      unit: 'KiB',
      value: (after - before) / IDLE_CONNECTIONS / 1024,
      figures: { connections: IDLE_CONNECTIONS, before_mib: before / 1024 / 1024 },
    }
  } finally {
    child.end()
    await gateway.end()
  }
}

const SETTLE_MS = 3_000

/** Resident, after garbage has had its time; what was taken for making connections counts as theirs. */
async function settledMemory({ node }: Gateway): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  const path = `/proc/${node.pid}/status`
  const text = existsSync(path)
    ? (/VmRSS:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? '0')
    : execFileSync('ps', ['-o', 'rss=', '-p', String(node.pid)]).toString()
  return Number(text) * 1024
}

import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { CLUSTER_KEY_FILE, createClusterKey } from '../src/adapters/system/cluster-key.js'
import { PostgresServer } from '../test/support/postgres/postgres-server.js'
import type { BenchRun } from './bench-result.js'
import type { BidFigures } from './gateway-parts/bid-client.js'
import { Child } from './gateway-parts/child.js'
import { cpuOf, type Gateway, measure, rateOf, startGateway } from './gateway-parts/gateway-process.js'
import type { RowLockGatewaySetup } from './gateway-parts/row-lock-gateway.js'

const LEVELS = [1, 50, 500]
const HOT_LEVEL = 500
const NODES = [1, 2, 4]
const CONNECTIONS_A_NODE = 50
const WARM_UP_MS = 1_500
const MEASURE_MS = 4_000
/** In turns, so that what else the machine does falls on both; the middle one counts. */
const ROUNDS = 3
const LEAST_SHARE = 0.7
const LEAST_OF_ROW_LOCK = 10
const IDLE_MS = 10_000
const AUCTION_ID = `auc_${'0'.repeat(26)}`

/**
 * Bids over WebSocket to a node that shares its log in PostgreSQL, beside one that keeps its own: each a process, each
 * answer after the disk. Then several nodes of one cluster, each with an auction; the usual design, a transaction that
 * locks the auction's row; and what a node spends on its cluster while nobody bids.
 */
export async function* run(): BenchRun {
  for (const connections of LEVELS) yield* besideOwnLog(connections)
  yield* besideRowLock()
  for (const count of NODES) yield* manyNodes(count)
  yield* idle()
}

interface Cluster {
  readonly server: PostgresServer
  readonly nodes: readonly Gateway[]
}

async function withCluster<T>(count: number, work: (cluster: Cluster) => Promise<T>): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const server = await PostgresServer.start()
  const nodes: Gateway[] = []
  try {
    const dirs = Array.from({ length: count }, (_, i) => join(home, 'nodes', `node${i}`))
    for (const dir of dirs) mkdirSync(dir, { recursive: true, mode: 0o700 })
    const first = dirs[0] as string
    createClusterKey(first)
    for (const dir of dirs.slice(1)) copyFileSync(join(first, CLUSTER_KEY_FILE), join(dir, CLUSTER_KEY_FILE))
    const env = { VENDUE_SHARED_LOG: server.url(), VENDUE_MESH: `bench-${process.pid}` }
    for (const i of dirs.keys()) nodes.push(await startGateway({ home, name: `node${i}`, env }))
    return await work({ server, nodes })
  } finally {
    await Promise.all(nodes.map((node) => node.end()))
    await server.dispose()
    rmSync(home, { recursive: true, force: true })
  }
}

/** One auction, this many connections. */
async function bidding(gateway: Gateway, connections: number): Promise<BidFigures> {
  const load = { connections, warmUpMs: WARM_UP_MS, ms: MEASURE_MS }
  return measure({ ...load, url: `${gateway.url}/ws`, auctionId: await gateway.open() })
}

async function* besideOwnLog(connections: number): BenchRun {
  const rounds: { shared: BidFigures; own: BidFigures; share: number }[] = []
  for (let round = 0; round < ROUNDS; round++) {
    yield `${connections} connections, round ${round + 1} of ${ROUNDS}`
    const gateway = await startGateway()
    const own = await bidding(gateway, connections).finally(() => gateway.end())
    const shared = await withCluster(1, ({ nodes }) => bidding(nodes[0] as Gateway, connections))
    rounds.push({ shared, own, share: rateOf(shared) / rateOf(own) })
  }
  rounds.sort((a, b) => a.share - b.share)
  const { shared, own, share } = rounds[rounds.length >> 1] as (typeof rounds)[number]
  const { p50_ms, p99_ms, rejected, failed } = shared
  const level = `${connections} connection${connections === 1 ? '' : 's'}`
  yield {
    name: `bids with a shared log, ${level}`,
    unit: 'acknowledged bids/s',
    value: rateOf(shared),
    figures: { p50_ms, p99_ms, rejected, failed, load_average: loadavg()[0] ?? 0 },
  }
  yield {
    name: `the same as a share of a log of its own, ${level}`,
    unit: 'of 1',
    value: share,
    figures: {
      own_per_s: rateOf(own),
      own_p50_ms: own.p50_ms,
      own_p99_ms: own.p99_ms,
      lowest: rounds[0]?.share ?? 0,
      highest: rounds.at(-1)?.share ?? 0,
    },
    target: { atLeast: LEAST_SHARE },
  }
}

async function* besideRowLock(): BenchRun {
  yield `${HOT_LEVEL} connections, beside a row lock`
  const rowLock = await withRowLock(HOT_LEVEL)
  const shared = await withCluster(1, ({ nodes }) => bidding(nodes[0] as Gateway, HOT_LEVEL))
  const { p50_ms, p99_ms, rejected, failed } = rowLock
  yield {
    name: `ws and a row lock in PostgreSQL, ${HOT_LEVEL} connections`,
    unit: 'acknowledged bids/s',
    value: rateOf(rowLock),
    figures: { p50_ms, p99_ms, rejected, failed },
  }
  yield {
    name: `bids with a shared log as a multiple of it`,
    unit: 'times',
    value: rateOf(shared) / rateOf(rowLock),
    figures: { shared_per_s: rateOf(shared) },
    target: { atLeast: LEAST_OF_ROW_LOCK },
  }
}

async function withRowLock(connections: number): Promise<BidFigures> {
  const server = await PostgresServer.start()
  const { child } = await Child.start('row-lock-gateway')
  try {
    const setup: RowLockGatewaySetup = { connectionString: server.url(), auctionId: AUCTION_ID }
    const { port } = await child.ask<{ port: number }>(setup)
    const load = { connections, warmUpMs: WARM_UP_MS, ms: MEASURE_MS }
    return await measure({ ...load, url: `ws://127.0.0.1:${port}/`, auctionId: AUCTION_ID })
  } finally {
    child.end()
    await server.dispose()
  }
}

/** On one machine they share its cores with the server and with the bidders. */
async function* manyNodes(count: number): BenchRun {
  yield `${count} nodes`
  const all = await withCluster(count, ({ nodes }) =>
    Promise.all(nodes.map((node) => bidding(node, CONNECTIONS_A_NODE))),
  )
  yield {
    name: `bids in a cluster of ${count}, an auction and ${CONNECTIONS_A_NODE} connections each`,
    unit: 'acknowledged bids/s',
    value: all.reduce((sum, figures) => sum + rateOf(figures), 0),
    figures: {
      least_of_a_node: Math.min(...all.map(rateOf)),
      most_of_a_node: Math.max(...all.map(rateOf)),
      p99_ms: Math.max(...all.map(({ p99_ms }) => p99_ms)),
      failed: all.reduce((sum, { failed }) => sum + failed, 0),
    },
  }
}

async function* idle(): BenchRun {
  yield 'idle'
  const alone = await startGateway()
  const own = await idleCpuOf(alone).finally(() => alone.end())
  const { shared, commits } = await withCluster(1, async ({ server, nodes }) => {
    const commitsOf = async () => {
      const [row] = await server.query('SELECT sum(xact_commit)::int AS n FROM pg_stat_database')
      return Number(row?.n)
    }
    await wait(2_000)
    const before = await commitsOf()
    const spent = await idleCpuOf(nodes[0] as Gateway)
    return { shared: spent, commits: ((await commitsOf()) - before) / (IDLE_MS / 1_000) }
  })
  yield {
    name: 'an idle node of a cluster',
    unit: 'ms of CPU a second',
    value: shared,
    figures: { with_a_log_of_its_own_ms: own, transactions_per_s: commits },
  }
}

/** Milliseconds of processor time a second. */
async function idleCpuOf({ node }: Gateway): Promise<number> {
  const before = cpuOf(node.pid)
  await wait(IDLE_MS)
  return (cpuOf(node.pid) - before) / 1_000 / (IDLE_MS / 1_000)
}

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HomeMeshAdmin } from '../services/mesh/mesh-admin.js'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import { RpcClient } from '../src/adapters/grenache/rpc-client.js'
import { tlsToNode } from '../src/adapters/grenache/transport/pinned-tls.js'
import { newCommandId } from '../src/application/log/ids.js'
import { answerTo } from '../src/application/submissions/submission.js'
import { eventually } from '../test/support/eventually.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchRun } from './bench-result.js'
import { load, percentile } from './latency.js'

const IN_FLIGHT = 256
const BIDS = 40_000
/** In turns, so that whatever else the machine does meets both. */
const ROUNDS = 3
const HANDSHAKES = 200
const LEAST_SHARE = 0.8
const MOST_JOIN_MS = 2_000

/**
 * What mutual TLS costs: cross-node bids with and without it, both nodes in this process, and a handshake; and joining.
 */
export async function* run(): BenchRun {
  const rates = { with: [] as number[], without: [] as number[] }
  for (let i = 0; i < ROUNDS; i++) {
    yield `round ${i + 1} of ${ROUNDS}`
    rates.without.push(await bidsPerSecond(false))
    rates.with.push(await bidsPerSecond(true))
  }
  const median = (samples: number[]) => [...samples].sort((a, b) => a - b)[ROUNDS >> 1] ?? 0
  const share = median(rates.with) / median(rates.without)
  yield {
    name: 'cross-node bids with mutual TLS, as a share of those without',
    unit: 'of 1',
    value: share,
    figures: { with_per_s: median(rates.with), without_per_s: median(rates.without), in_flight: IN_FLIGHT },
    target: { atLeast: LEAST_SHARE },
  }
  yield* joining()
}

async function bidsPerSecond(withTls: boolean): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const options = { logger: silentLogger, ...(withTls ? {} : { tls: false as const }) }
  const seller = createNode(testSettings({ home, name: 'seller' }), options)
  let bidder: VendueNode | null = null
  try {
    await seller.start()
    const bootstrap = [seller.info.dhtAddress ?? '']
    bidder = createNode(testSettings({ home, name: 'bidder', bootstrap }), { ...options, role: 'gateway' })
    await bidder.start()
    return await measure(seller, bidder)
  } finally {
    await bidder?.stop()
    await seller.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

async function measure(seller: VendueNode, bidder: VendueNode): Promise<number> {
  const deps = { clock: bidder.services.parts.clock, random: bidder.services.parts.random }
  const { outcome } = await seller.api.open({
    commandId: newCommandId('cmd', deps),
    title: 'TLS',
    currency: 'EUR',
    start: '0.01',
    increment: '0.01',
  })
  const { auctionId } = outcome
  await eventually('the bidder knows the auction', () => bidder.api.show({ auction: auctionId }))
  const router = bidder.services.parts.router
  const bidders = [0, 1].map((i) => ({ id: `acc_bench${i}`, name: `Bidder ${i}` }))
  const { ms } = await load(IN_FLIGHT, BIDS, async (i) => {
    const result = await answerTo(
      {
        command: {
          type: 'PlaceBid',
          auctionId,
          commandId: newCommandId('bid', deps),
          kind: 'plain',
          amount: i + 1,
          bidder: bidders[i % 2] as (typeof bidders)[number],
        },
      },
      (submission) => router.enqueue(submission),
    )
    if (!result.ok) throw new Error(`a bid has no outcome: ${result.code} ${result.message}`)
  })
  return Math.round((BIDS / ms) * 1_000)
}

async function* joining(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const node = createNode(testSettings({ home, name: 'member' }), { logger: silentLogger })
  try {
    await node.start()
    const admin = new HomeMeshAdmin({ home })
    const invite = { role: 'node' as const, uses: 1, lifeMs: 60_000, addresses: [] }
    const { token } = await admin.invite('test', invite)
    const startedAt = performance.now()
    await admin.join(token, { dataDir: join(home, 'elsewhere'), name: 'guest', addresses: [] })
    const joinMs = performance.now() - startedAt
    const samples: number[] = []
    for (let i = 0; i < HANDSHAKES; i++) samples.push(await handshakeMs(node))
    samples.sort((a, b) => a - b)
    yield {
      name: 'joining a mesh with a token',
      unit: 'ms',
      value: joinMs,
      figures: {},
      target: { atMost: MOST_JOIN_MS },
    }
    yield {
      name: 'one handshake and its request',
      unit: 'ms',
      value: percentile(samples, 0.5),
      figures: { p99_ms: percentile(samples, 0.99), handshakes: HANDSHAKES },
    }
  } finally {
    await node.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

/** A new connection each time. */
async function handshakeMs({ info }: VendueNode): Promise<number> {
  const { operatorRpcs } = await import('../src/adapters/grenache/rpc/operator-rpcs.js')
  const rpcClient = new RpcClient({ tls: tlsToNode(info.nodeId) })
  const startedAt = performance.now()
  // Refused without a token, which takes no time; what is measured is getting there.
  await rpcClient.call(info.address, operatorRpcs.status, {}, { timeoutMs: 5_000 }).catch(() => null)
  rpcClient.stop()
  return performance.now() - startedAt
}

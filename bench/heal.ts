import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import { eventually } from '../test/support/eventually.js'
import { Partition } from '../test/support/partition.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchRun } from './bench-result.js'
import { percentile } from './latency.js'

const NODES = 5
const RUNS = 24
/** Some end before the other side was given up, most after it. */
const SPLITS_MS = [2_000, 7_000, 8_000, 9_000]
const BIDS = 20
const TARGET_MS = 10_000
const POLL_MS = 5

/**
 * Five whole nodes (sockets, SQLite) in one process; two are cut off from three (see `Partition` for how), both sides
 * bid on auctions of their own, the cut heals: how long until all five hold the same heads. Nothing is called from
 * outside meanwhile.
 */
export async function* run(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const nodes: VendueNode[] = []
  try {
    for (let i = 0; i < NODES; i++) {
      const bootstrap = nodes.flatMap(({ info }) => info.dhtAddress ?? [])
      const node = createNode(testSettings({ home, name: `node-${i}`, bootstrap }), { logger: silentLogger })
      nodes.push(node)
      await node.start()
    }
    const partition = new Partition(nodes)
    const samples: number[] = []
    for (let i = 0; i < RUNS; i++) {
      yield `partition ${i + 1} of ${RUNS}`
      await eventually('the mesh is whole', () => nodes.every(({ services }) => isWhole(services)))
      samples.push(await healOnce(nodes, partition, i))
    }
    yield {
      name: `partition healed until all ${NODES} hold the same`,
      unit: 'ms, worst',
      value: percentile(samples, 1),
      figures: {
        runs: samples.length,
        min_ms: percentile(samples, 0),
        p50_ms: percentile(samples, 0.5),
        p90_ms: percentile(samples, 0.9),
      },
      target: { atMost: TARGET_MS },
    }
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
    rmSync(home, { recursive: true, force: true })
  }
}

function isWhole(services: VendueNode['services']): boolean {
  const peers = services.parts.peerTable.all()
  return peers.filter(({ state }) => state === 'alive').length === NODES - 1
}

async function healOnce(nodes: readonly VendueNode[], partition: Partition, i: number): Promise<number> {
  const sides = [nodes.slice(0, 2), nodes.slice(2)]
  partition.split(...sides)
  await Promise.all(sides.map((side, s) => bid(side, `run ${i} side ${s}`)))
  // At any moment between two probes.
  const splitMs = (SPLITS_MS[i % SPLITS_MS.length] as number) + (i * 1_000) / RUNS
  await new Promise((resolve) => setTimeout(resolve, splitMs))
  if (await areEqual(nodes)) throw new Error('the sides were not cut off from each other')
  const healedAt = performance.now()
  partition.heal()
  while (!(await areEqual(nodes))) {
    if (performance.now() - healedAt > 60_000) throw new Error('not equal within a minute')
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
  return performance.now() - healedAt
}

/** The first of them sells, the second bids, in turns with the last. */
async function bid(side: readonly VendueNode[], title: string): Promise<void> {
  const [seller, other] = side as readonly [VendueNode, VendueNode]
  const { auction } = await seller.api.open({
    commandId: `cmd_${title.replaceAll(' ', '')}open`,
    title,
    currency: 'EUR',
    start: '1.00',
    increment: '1.00',
  })
  if (!auction) throw new Error('the auction did not open')
  const { auctionId } = auction
  await eventually(
    'the bidder has the auction',
    async () => (await other.services.parts.auctions.find(auctionId)) !== null,
  )
  for (let k = 0; k < BIDS; k++) {
    // A leader raises its maximum: every one of these is an event.
    const request = { auction: auctionId, commandId: `bid_${title.replaceAll(' ', '')}x${k}` }
    await other.api.bid({ ...request, kind: 'max', amount: `${k + 1}.00` })
  }
}

async function areEqual(nodes: readonly VendueNode[]): Promise<boolean> {
  const heads = await Promise.all(nodes.map(({ services }) => services.parts.eventLog.heads(null, 1_000)))
  const [first, ...others] = heads.map((list) => JSON.stringify(list))
  return others.every((other) => other === first)
}

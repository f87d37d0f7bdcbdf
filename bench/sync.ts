import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../test/support/eventually.js'
import { type FullStore, fillStore } from '../test/support/full-store.js'
import { NodeProcess } from '../test/support/node-process.js'
import type { BenchRun } from './bench-result.js'

const SHAPES: readonly (FullStore & { readonly name: string })[] = [
  { name: '1 auction with 1,000,000 bids', auctions: 1, bidsPerAuction: 1_000_000, bidsPerCommit: 100 },
  { name: '10,000 auctions with 100 bids each', auctions: 10_000, bidsPerAuction: 100, bidsPerCommit: 100 },
]
const TARGET_EVENTS_PER_S = 100_000
const TARGET_S = 12
const TARGET_MB = 300
const LIMIT_MS = 120_000
const ALONE = ['--grape-port', '0', '--dht-port', '0']

/**
 * A node with nothing joins one that holds a million bids, each a process of its own, on loopback: everything is
 * checked on the way, as it always is. The time runs from when the new node is up until it has stored the last event,
 * so the handshake and the comparison are part of it.
 */
export async function* run(): BenchRun {
  for (const shape of SHAPES) yield* measure(shape)
}

async function* measure(shape: (typeof SHAPES)[number]): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const nodes: NodeProcess[] = []
  try {
    yield `writing ${shape.name}`
    await fillStore(home, shape)
    nodes.push(await NodeProcess.start({ home, name: 'full', args: ALONE }))
    const empty = new NodeProcess({ home, name: 'empty', args: ALONE })
    nodes.push(empty)
    await empty.start()
    const startedAt = performance.now()
    const bids = shape.auctions * shape.bidsPerAuction
    await eventually('everything is synced', async () => (await empty.api.status()).bids === bids, LIMIT_MS)
    const seconds = (performance.now() - startedAt) / 1_000
    const { sync } = await empty.api.status()
    if (sync.refused > 0) throw new Error(`${sync.refused} commits were refused`)
    const peakMb = peakMbOf(empty.pid)
    const events = bids + shape.auctions
    yield {
      name: `initial sync of ${shape.name}`,
      unit: 'events/s',
      value: events / seconds,
      figures: { events, seconds },
      target: { atLeast: TARGET_EVENTS_PER_S },
    }
    yield {
      name: `time of the sync of ${shape.name}`,
      unit: 's',
      value: seconds,
      figures: { serving_peak_mb: peakMbOf(nodes[0]?.pid ?? 0) },
      target: { atMost: TARGET_S },
    }
    yield {
      name: `peak memory of the sync of ${shape.name}`,
      unit: 'MB',
      value: peakMb,
      figures: {},
      target: { atMost: TARGET_MB },
    }
  } finally {
    for (const node of nodes) await node.end('SIGKILL')
    rmSync(home, { recursive: true, force: true })
  }
}

/** Of the whole life of the process. */
function peakMbOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) / 1024
}

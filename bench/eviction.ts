import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNode, type VendueNode } from '../services/node/create-node.js'
import type { PeerState } from '../src/ports/node/node-info.js'
import { eventually } from '../test/support/eventually.js'
import { NodeProcess } from '../test/support/node-process.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { percentile } from './latency.js'

const WATCHERS = 5
const RUNS = 20
const TARGET_MS = 5_000

/**
 * One node in a process of its own is killed with -9 and started again, over and over, while five others watch: how
 * long until all five have put it out of use, and until all five have it back (on another port).
 */
export async function* run(): BenchRun {
  const home = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const watchers: VendueNode[] = []
  const victim = new NodeProcess({ home, name: 'victim', args: ['--grape-port', '0', '--dht-port', '0'] })
  try {
    for (let i = 0; i < WATCHERS; i++) {
      const bootstrap = watchers.flatMap(({ info }) => info.dhtAddress ?? [])
      const node = createNode(testSettings({ home, name: `watcher-${i}`, bootstrap }), {
        logger: silentLogger,
      })
      watchers.push(node)
      await node.start()
    }
    const evictions: number[] = []
    const returns: number[] = []
    await victim.start()
    await settled(watchers, (await victim.api.status()).node.nodeId)
    for (let i = 0; i < RUNS; i++) {
      yield `kill ${i + 1} of ${RUNS}`
      const { nodeId } = (await victim.api.status()).node
      // Kills come at any moment between two probes.
      await new Promise((resolve) => setTimeout(resolve, (i * 1_000) / RUNS))
      const dead = reached(watchers, nodeId, 'dead')
      const killedAt = performance.now()
      await victim.end('SIGKILL')
      await dead
      evictions.push(performance.now() - killedAt)
      const alive = reached(watchers, nodeId, 'alive')
      await victim.start()
      const startedAt = performance.now()
      await alive
      returns.push(Math.max(0, performance.now() - startedAt))
      await settled(watchers, nodeId)
    }
    yield result(`kill -9 until out of use on all ${WATCHERS} others`, evictions)
    yield result(`start until back on all ${WATCHERS} others`, returns)
  } finally {
    await victim.end('SIGKILL')
    await Promise.all(watchers.map((node) => node.stop()))
    rmSync(home, { recursive: true, force: true })
  }
}

/** Resolves once each node's table has moved the peer to that state, after this call. */
async function reached(nodes: readonly VendueNode[], nodeId: string, state: PeerState): Promise<void> {
  await Promise.all(
    nodes.map(
      ({ services }) =>
        new Promise<void>((resolve) => {
          const unlisten = services.parts.peerTable.onChange(({ peer }) => {
            if (peer.info.nodeId !== nodeId || peer.state !== state) return
            unlisten()
            resolve()
          })
        }),
    ),
  )
}

/** Everybody sees everybody. */
async function settled(nodes: readonly VendueNode[], nodeId: string): Promise<void> {
  await eventually('the mesh is whole', () =>
    nodes.every(({ services }) => {
      const table = services.parts.peerTable
      return table.get(nodeId)?.state === 'alive' && table.reachable().length === WATCHERS
    }),
  )
}

function result(name: string, samples: number[]): BenchResult {
  return {
    name,
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
}

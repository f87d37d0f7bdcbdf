import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../../test/support/eventually.js'
import type { BenchRun } from '../bench-result.js'
import type { BidFigures, BidLoad } from './bid-client.js'
import { Child } from './child.js'
import type { RedisGatewaySetup } from './redis-gateway.js'

const DURABILITIES = {
  /** As it comes: snapshots now and then. A crash loses what was acknowledged since the last one. */
  'not durable': [],
  /** Synced before the answer, as ours is; one sync for all that came in one round of its event loop. */
  'appendfsync always': ['--save', '', '--appendonly', 'yes', '--appendfsync', 'always'],
} as const
const AUCTION_ID = `auc_${'0'.repeat(26)}`

/** False, and says so, where it is not installed. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    process.stderr.write('redis-server is not installed: the design with a Redis script is not measured\n')
    return false
  }
}

/**
 * The same bidders against `ws` and a Redis script, both ways of storing. `ownRate` is what the gateway did in this
 * run, acknowledged bids a second.
 */
export async function* besideRedis(
  load: Omit<BidLoad, 'url' | 'auctionId'>,
  measure: (load: BidLoad) => Promise<BidFigures>,
  { level, ownRate }: { level: string; ownRate: number },
): BenchRun {
  for (const [durability, flags] of Object.entries(DURABILITIES)) {
    const redis = await startRedis(flags)
    const { child } = await Child.start('redis-gateway')
    try {
      const setup: RedisGatewaySetup = { socketPath: redis.socketPath, auctionId: AUCTION_ID }
      const { port } = await child.ask<{ port: number }>(setup)
      const bids = await measure({ ...load, url: `ws://127.0.0.1:${port}/`, auctionId: AUCTION_ID })
      const rate = bids.accepted / bids.seconds
      const { p50_ms, p99_ms, rejected, failed } = bids
      yield {
        name: `ws and a Redis script, ${durability}, ${level}`,
        unit: 'acknowledged bids/s',
        value: rate,
        figures: { gateway_of_it: ownRate / rate, p50_ms, p99_ms, rejected, failed },
      }
    } finally {
      child.end()
      await redis.end()
    }
  }
}

/** A server of its own on a Unix socket, which is its fastest way in, with its files beside where ours were. */
async function startRedis(flags: readonly string[]): Promise<{ socketPath: string; end: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'vendue-redis-'))
  const socketPath = join(directory, 'redis.sock')
  const server: ChildProcess = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', socketPath, '--dir', directory, ...flags],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  const exited = once(server, 'exit')
  const end = async () => {
    server.kill('SIGKILL')
    await exited
    rmSync(directory, { recursive: true, force: true })
  }
  try {
    await eventually('redis-server is up', () => {
      if (server.exitCode !== null) throw new Error(`redis-server ended with ${server.exitCode}`)
      return existsSync(socketPath)
    })
  } catch (error) {
    await end()
    throw error
  }
  return { socketPath, end }
}

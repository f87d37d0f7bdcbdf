import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '../test/support/eventually.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { measure, startGateway } from './gateway-parts/gateway-process.js'
import { stepsOf } from './gateway-parts/steps.js'

const LEVELS = [1, 50, 500]
/** At the middle level: code that few bids have passed is slow, and a node that has been up for a while has seen more. */
const WARM_UP = { connections: 50, ms: 6_000 }
const MEASURE_MS = 5_000
const THREADS = { main: 0, writer: 1 } as const
/** Of a step, to be named. */
const LEAST_US = 0.05

/**
 * Where each microsecond of a bid goes, on the thread that serves and on the one that writes: CPU profiles of a node
 * with its gateway while bids come over WebSocket. The profiler costs too: compare the steps, not the sums.
 */
export async function* run(): BenchRun {
  for (const connections of LEVELS) {
    yield `${connections} connections`
    yield* profiled(connections)
  }
}

async function* profiled(connections: number): BenchRun {
  const directory = mkdtempSync(join(tmpdir(), 'vendue-profile-'))
  const hook = new URL('./gateway-parts/profiler.js', import.meta.url).href
  const gateway = await startGateway({
    env: { NODE_OPTIONS: `--import ${hook}`, VENDUE_BENCH_PROFILE: directory },
  })
  try {
    const bid = async (load: { connections: number; ms: number }) =>
      measure({ ...load, warmUpMs: 0, url: `${gateway.url}/ws`, auctionId: await gateway.open() })
    await bid(WARM_UP)
    const go = join(directory, 'go')
    writeFileSync(go, '')
    const { accepted, rejected } = await bid({ connections, ms: MEASURE_MS })
    rmSync(go)
    for (const [thread, id] of Object.entries(THREADS)) {
      const profile = await eventually('the profile is there', () => readProfile(directory, id), 30_000)
      yield budget(
        `${connections} connection${connections === 1 ? '' : 's'}, ${thread} thread`,
        profile,
        accepted + rejected,
      )
    }
  } finally {
    await gateway.end()
    rmSync(directory, { recursive: true, force: true })
  }
}

function readProfile(directory: string, thread: number): Profiler.Profile | null {
  try {
    return JSON.parse(readFileSync(join(directory, `thread-${thread}.json`), 'utf8')) as Profiler.Profile
  } catch {
    return null
  }
}

function budget(name: string, profile: Profiler.Profile, bids: number): BenchResult {
  const steps = [...stepsOf(profile)].map(([step, us]) => [step, us / bids] as const).sort((a, b) => b[1] - a[1])
  return {
    name: `time of a bid, ${name}`,
    unit: 'us',
    value: steps.reduce((sum, [, us]) => sum + us, 0),
    figures: {
      ...Object.fromEntries(steps.filter(([, us]) => us >= LEAST_US)),
      bids,
      load_average: loadavg()[0] ?? 0,
    },
  }
}

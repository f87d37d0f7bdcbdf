import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { parseArgs } from 'node:util'
import { type BenchResult, type BenchRun, formatFigure, meetsTarget } from './bench-result.js'
import { type Measured, table } from './results-table.js'

/** Each module runs on its own, in this order, and reports what it measured. */
const BENCHES = [
  'decide-evolve',
  'log-append',
  'disk',
  'scale',
  'cross-node',
  'signing',
  'node-start',
  'eviction',
  'verify',
  'sync',
  'heal',
  'tls',
  'event-feed',
  'gateway',
  'cluster',
  'grpc',
  'budget',
  'consumers',
  'web',
] as const

interface Bench {
  run(): BenchRun
}

const OUTPUT = 'bench/results/latest'

/**
 * `npm run bench [-- NAME ...] [--against FILE]`: prints each result as it is measured, and writes them to
 * bench/results, as JSON and as a table; the latter beside those of FILE, a JSON file of before.
 */
async function main(args: readonly string[]): Promise<void> {
  const { names, before } = asked(args)
  const unknown = names.filter((name) => !(BENCHES as readonly string[]).includes(name))
  if (unknown.length > 0) {
    console.error(`no benchmark "${unknown[0]}": there are ${BENCHES.join(', ')}`)
    process.exit(2)
  }
  const results: BenchResult[] = []
  const failed: string[] = []
  for (const name of names.length > 0 ? names : BENCHES) {
    try {
      await measure(name, results)
    } catch (error) {
      // What the others measure is worth having.
      failed.push(name)
      console.error(error)
    }
  }
  const missed = results.filter((result) => !meetsTarget(result))
  const measured: Measured = { machine: machine(), results }
  mkdirSync('bench/results', { recursive: true })
  writeFileSync(`${OUTPUT}.json`, `${JSON.stringify(measured, null, 2)}\n`)
  writeFileSync(`${OUTPUT}.md`, table(measured, before))
  if (before !== null) console.log(`\n${table(measured, before)}`)
  console.log(
    `\n${results.length - missed.length} of ${results.length} within target; written to ${OUTPUT}.json and .md`,
  )
  if (failed.length > 0) console.log(`did not run to their end: ${failed.join(', ')}`)
  process.exit(missed.length + failed.length > 0 ? 1 : 0)
}

function asked(args: readonly string[]): { names: readonly string[]; before: Measured | null } {
  const { values, positionals: names } = parseArgs({
    args: [...args],
    options: { against: { type: 'string' } },
    allowPositionals: true,
  })
  const { against } = values
  return { names, before: against === undefined ? null : (JSON.parse(readFileSync(against, 'utf8')) as Measured) }
}

function machine(): Measured['machine'] {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_bytes: totalmem(),
    node: process.version,
    commit: commit(),
    at: new Date().toISOString(),
    load_average: loadavg()[0] ?? 0,
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

async function measure(name: string, results: BenchResult[]): Promise<void> {
  const startedAt = performance.now()
  const say = (text: string) => {
    const seconds = Math.round((performance.now() - startedAt) / 1_000)
    process.stderr.write(`${String(seconds).padStart(5)} s  ${name}: ${text}\n`)
  }
  say('starting')
  const bench = (await import(`./${name}.js`)) as Bench
  for await (const given of bench.run()) {
    if (typeof given === 'string') say(given)
    else {
      results.push(given)
      print(given)
    }
  }
}

function print(result: BenchResult): void {
  const { name, value, unit, target, figures } = result
  const goal =
    target === undefined ? '' : 'atLeast' in target ? `  (at least ${target.atLeast})` : `  (at most ${target.atMost})`
  const mark = target === undefined ? ' ' : meetsTarget(result) ? '✓' : '✗'
  console.log(`${mark} ${name.padEnd(58)} ${formatFigure(value).padStart(12)} ${unit}${goal}`)
  const details = Object.entries(figures).map(
    ([key, figure]) => `${key} ${typeof figure === 'number' ? formatFigure(figure) : figure}`,
  )
  if (details.length > 0) console.log(`    ${details.join(', ')}`)
}

await main(process.argv.slice(2))

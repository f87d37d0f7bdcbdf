import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { type BenchResult, type BenchRun, meetsTarget } from './bench-result.js'

/** Each module runs on its own, in this order, and reports what it measured. */
const BENCHES = [
  'decide-evolve',
  'log-append',
  'disk',
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
  'web',
] as const

interface Bench {
  run(): BenchRun
}

/** `npm run bench [-- NAME ...]`: prints each result as it is measured, and writes bench/results/latest.json. */
async function main(names: readonly string[]): Promise<void> {
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
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory_bytes: totalmem(),
    node: process.version,
  }
  mkdirSync('bench/results', { recursive: true })
  writeFileSync('bench/results/latest.json', `${JSON.stringify({ machine, results }, null, 2)}\n`)
  console.log(
    `\n${results.length - missed.length} of ${results.length} within target; written to bench/results/latest.json`,
  )
  if (failed.length > 0) console.log(`did not run to their end: ${failed.join(', ')}`)
  process.exit(missed.length + failed.length > 0 ? 1 : 0)
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
  console.log(`${mark} ${name.padEnd(58)} ${format(value).padStart(12)} ${unit}${goal}`)
  const details = Object.entries(figures).map(
    ([key, figure]) => `${key} ${typeof figure === 'number' ? format(figure) : figure}`,
  )
  if (details.length > 0) console.log(`    ${details.join(', ')}`)
}

function format(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 1000) / 1000)
}

await main(process.argv.slice(2))

import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { type BenchResult, meetsTarget } from './bench-result.js'

/** Each module runs on its own, in this order, and reports what it measured. */
const BENCHES = [
  'decide-evolve',
  'log-append',
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
  run(): Promise<BenchResult[]>
}

/** `npm run bench [-- NAME ...]`: prints a table and writes bench/results/latest.json. */
async function main(names: readonly string[]): Promise<void> {
  const unknown = names.filter((name) => !(BENCHES as readonly string[]).includes(name))
  if (unknown.length > 0) {
    console.error(`no benchmark "${unknown[0]}": there are ${BENCHES.join(', ')}`)
    process.exit(2)
  }
  const results: BenchResult[] = []
  for (const name of names.length > 0 ? names : BENCHES) {
    process.stderr.write(`running ${name} ...\n`)
    const bench = (await import(`./${name}.js`)) as Bench
    for (const result of await bench.run()) {
      results.push(result)
      print(result)
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
  process.exit(missed.length > 0 ? 1 : 0)
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

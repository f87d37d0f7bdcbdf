import { parseArgs } from 'node:util'
import { type Mode, SimulationFailure, simulate } from './simulation.js'

const USAGE = `Usage: npm run sim -- [--seed S] [--seeds N] [--mode safety|liveness] [--cluster] [--trace]
  --seed S    the first seed, 1 by default
  --seeds N   how many seeds from there on, 1 by default
  --mode M    only this mode; both by default
  --cluster   some of the nodes share a log
  --trace     print every step`

async function main(): Promise<void> {
  const { seed, seeds, modes, cluster, echo } = readArgs()
  let failures = 0
  let slowestMs = 0
  let slowestEqualMs = 0
  for (let next = seed; next < seed + seeds; next++) {
    for (const mode of modes) {
      try {
        const result = await simulate({ seed: next, mode, cluster, ...(echo && { echo }) })
        console.log(JSON.stringify(result))
        slowestMs = Math.max(slowestMs, result.convergedMs ?? 0)
        slowestEqualMs = Math.max(slowestEqualMs, result.equalMs ?? 0)
      } catch (error) {
        if (!(error instanceof SimulationFailure)) throw new Error(`seed ${next} (${mode})`, { cause: error })
        failures += 1
        console.error(error.message)
      }
    }
  }
  const rest =
    slowestMs > 0
      ? `, replicas equal at most ${slowestEqualMs} ms and all at rest at most ${slowestMs} ms after the faults`
      : ''
  console.log(`${seeds} seeds from ${seed}: ${failures} failures${rest}`)
  process.exitCode = failures > 0 ? 1 : 0
}

function readArgs() {
  try {
    const { values } = parseArgs({
      options: {
        seed: { type: 'string', default: '1' },
        seeds: { type: 'string', default: '1' },
        mode: { type: 'string' },
        cluster: { type: 'boolean', default: false },
        trace: { type: 'boolean', default: false },
      },
    })
    const modes: Mode[] = (['safety', 'liveness'] as const).filter(
      (mode) => values.mode === undefined || values.mode === mode,
    )
    if (modes.length === 0) throw new Error(`no such mode: ${values.mode}`)
    return {
      seed: count('seed', values.seed),
      seeds: count('seeds', values.seeds),
      modes,
      cluster: values.cluster,
      echo: values.trace ? (line: string) => console.log(line) : undefined,
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

function count(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, not "${text}"`)
  return Number(text)
}

await main()

#!/usr/bin/env node
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { processDeps } from '../bin/process-deps.js'
import { EXIT, type ExitCode } from '../src/adapters/cli/parse/exit-codes.js'
import { Output } from '../src/adapters/cli/render/output.js'
import { processIo } from '../src/adapters/cli/session/process-io.js'
import { runDemo } from './run-demo.js'

const HELP = `Usage: npm run demo -- [--live] [--json]

Three nodes in three processes hold an auction, and have to agree on who won.

  --live  go on with robots that open, bid, extend and close, until Ctrl-C
  --json  print JSON lines for programs`

const PROGRAM = fileURLToPath(new URL('../bin/vendue.js', import.meta.url))

process.exitCode = await main()
process.stdout.write('', () => process.exit())

async function main(): Promise<ExitCode> {
  const options = readOptions()
  if (options === null) return EXIT.usage
  if (options.help) {
    console.log(HELP)
    return EXIT.done
  }
  const io = processIo()
  const color = io.stdout.isTTY === true && !io.env.NO_COLOR && !options.json
  const out = new Output(io, { json: options.json, color, timeZone: io.timeZone, now: io.now })
  return runDemo({ connect: processDeps.connect, launch }, { io, out }, { live: options.live })
}

function readOptions(): { live: boolean; json: boolean; help: boolean } | null {
  try {
    const { values } = parseArgs({
      options: {
        live: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false, short: 'h' },
      },
    })
    return values
  } catch (error) {
    console.error(`demo: ${(error as Error).message}\n\n${HELP}`)
    return null
  }
}

/**
 * In a process group of its own, so that Ctrl-C reaches the demonstration first, which then stops its nodes in order.
 */
function launch(words: readonly string[], home: string) {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('VENDUE_'))
  return fork(PROGRAM, words, {
    detached: true,
    env: { ...Object.fromEntries(own), VENDUE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

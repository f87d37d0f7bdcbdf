#!/usr/bin/env node
import { runCli } from '../src/adapters/cli/run-cli.js'
import { processIo } from '../src/adapters/cli/session/process-io.js'
import { processDeps } from './process-deps.js'

const code = await runCli(process.argv.slice(2), processDeps, processIo())
// A command that was ended may have left a call waiting for its answer.
process.stdout.write('', () => process.exit(code))

#!/usr/bin/env node
import type { CliDeps } from '../src/adapters/cli/cli-deps.js'
import { processIo } from '../src/adapters/cli/process-io.js'
import { runCli } from '../src/adapters/cli/run-cli.js'

// Loaded when first needed: most commands ask a running node, and start faster without one of their own.
const deps: CliDeps = {
  async createNode(settings, options) {
    const { createNode } = await import('../services/node/create-node.js')
    return createNode(settings, options)
  },
  async startGrape(options, { logger }) {
    const { startStandaloneGrape } = await import('../src/adapters/grenache/standalone-grape.js')
    return startStandaloneGrape({ logger }, options)
  },
  async connect(target) {
    const { connectNode } = await import('../src/adapters/grenache/connect-node.js')
    return connectNode(target)
  },
}

const io = processIo()
const code = await runCli(process.argv.slice(2), deps, io)
// A command that has been ended may have left a call waiting for its answer.
process.stdout.write('', () => process.exit(code))

import type { ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { CliDeps, NodeConnection } from '../src/adapters/cli/session/cli-deps.js'
import { sleep } from '../src/adapters/cli/session/waiting.js'
import { AuctionFactsCache } from '../src/application/gateway/auction-facts.js'
import { EventMaker } from '../src/application/gateway/event-maker.js'
import type { EventMessage } from '../src/application/gateway/public-events.js'
import type { NodeApi } from '../src/ports/node/node-api.js'

/** The demonstration did not go as it should. */
export class DemoError extends Error {
  readonly code = 'DEMO_FAILED'
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DemoError'
  }
}

export interface DemoDeps {
  readonly connect: CliDeps['connect']
  /** Starts `vendue` with these words in a process of its own, with pipes for its output. */
  readonly launch: (words: readonly string[], home: string) => ChildProcess
}

const READY_DEADLINE_MS = 30_000
const STOP_DEADLINE_MS = 10_000
const HEAR_DEADLINE_MS = 15_000
const POLL_MS = 10
const WAIT_MS = 10_000
const MAX_STDERR_CHARACTERS = 4_000

interface Ready {
  readonly name: string
  readonly node_id: string
  readonly rpc: string
  readonly dht_address: string
  readonly data_dir: string
}

/** A node in a process of its own, and what has been heard from its feed. */
export class DemoNode {
  readonly name: string
  readonly nodeId: string
  readonly address: string
  readonly dhtAddress: string
  readonly api: NodeApi
  /** By auction and seq; times are `performance.now()`. */
  readonly #heard = new Map<string, { readonly event: EventMessage; readonly atMs: number }>()
  readonly #child: ChildProcess
  readonly #connection: NodeConnection
  readonly #stopped = new AbortController()
  #listening: Promise<void> = Promise.resolve()
  #failure: Error | null = null
  /** Called with each event as it is heard. */
  onEvent: (event: EventMessage) => void = () => {}

  private constructor(ready: Ready, child: ChildProcess, connection: NodeConnection) {
    this.name = ready.name
    this.nodeId = ready.node_id
    this.address = ready.rpc
    this.dhtAddress = ready.dht_address
    this.api = connection.api
    this.#child = child
    this.#connection = connection
  }

  static async start(
    { connect, launch }: DemoDeps,
    options: {
      readonly name: string
      readonly home: string
      readonly mesh: string
      readonly bootstrap: readonly string[]
    },
  ): Promise<DemoNode> {
    const { name, home, mesh, bootstrap } = options
    const ports = ['--grape-port', '0', '--dht-port', '0', `--bootstrap=${bootstrap.join(',')}`]
    const words = ['start', '--no-gateway', '--json', '--name', name, '--mesh', mesh, '--log-level', 'error', ...ports]
    const child = launch(words, home)
    try {
      const ready = await readyLine(child, name)
      const token = readFileSync(join(ready.data_dir, 'operator.token'), 'utf8').trim()
      const target = { address: ready.rpc, nodeId: ready.node_id, home: null }
      const node = new DemoNode(ready, child, await connect({ ...target, token }))
      const { cursor } = await node.api.events({ waitMs: 0 })
      node.#listening = node.#listen(cursor)
      return node
    } catch (error) {
      await end(child)
      throw error
    }
  }

  /** The event as this node reported it, and when. Rejects if it does not come in time. */
  async hears(auctionId: string, seq: number): Promise<{ event: EventMessage; atMs: number }> {
    const deadline = performance.now() + HEAR_DEADLINE_MS
    for (;;) {
      const heard = this.#heard.get(`${auctionId} ${seq}`)
      if (heard) return heard
      if (this.#failure)
        throw new DemoError(`${this.name} stopped telling: ${this.#failure.message}`, {
          cause: this.#failure,
        })
      if (performance.now() > deadline) throw new DemoError(`${this.name} never heard of ${auctionId} #${seq}`)
      await sleep(POLL_MS, this.#stopped.signal)
    }
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    // Its node going away ends a call that is still waiting.
    await end(this.#child)
    await this.#listening
    await this.#connection.close()
  }

  async #listen(start: string): Promise<void> {
    const { api } = this
    const unshown = (_: unknown, error: unknown) => {
      throw error
    }
    const maker = new EventMaker({ api, facts: new AuctionFactsCache({ api }), unshown })
    let cursor = start
    while (!this.#stopped.signal.aborted) {
      try {
        const page = await api.events({ cursor, waitMs: WAIT_MS })
        const atMs = performance.now()
        cursor = page.cursor
        for (const event of await maker.all(page.items)) {
          this.#heard.set(`${event.auction_id} ${event.seq}`, { event, atMs })
          this.onEvent(event)
        }
      } catch (error) {
        if (!this.#stopped.signal.aborted) this.#failure = error as Error
        return
      }
    }
  }
}

function readyLine(child: ChildProcess, name: string): Promise<Ready> {
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('a node was launched without pipes')
  let complaints = ''
  stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-MAX_STDERR_CHARACTERS)
  })
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdout })
    const fail = (why: string) => {
      clearTimeout(timer)
      reject(new DemoError(`${name} ${why}${complaints === '' ? '' : `: ${complaints.trim()}`}`))
    }
    const timer = setTimeout(() => fail('was not up in time'), READY_DEADLINE_MS)
    // Not at its exit: what it said last may still be on its way then.
    child.once('close', () => fail('ended before it was up'))
    lines.once('line', (line) => {
      const said = parse(line)
      if (said?.event !== 'ready') return fail(`said ${line.slice(0, 200)}`)
      clearTimeout(timer)
      resolve(said as unknown as Ready)
    })
  })
}

function parse(line: string): { event?: unknown } | null {
  try {
    return JSON.parse(line) as { event?: unknown }
  } catch {
    return null
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })
}

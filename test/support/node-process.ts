import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { grenacheNodeApiClient } from '../../src/adapters/grenache/grenache-node-api-client.js'
import { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import { tlsToNode } from '../../src/adapters/grenache/transport/pinned-tls.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { eventually } from './eventually.js'

/** Of a process, in characters: what it wrote last. */
const MAX_OUTPUT = 8_000_000
/** Of a start, on a machine that has much else to do. One that fails ends before. */
const UP_WITHIN_MS = 90_000
const OVER = { address: '', nodeId: '' }

/** The built command line, beside which these tests are built too. */
export const VENDUE = new URL('../../bin/vendue.js', import.meta.url).pathname

export interface CommandRun {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The environment of a test's processes: nothing of the developer's own set-up leaks in. */
export function testEnv(home: string, extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('VENDUE_')))
  return {
    ...clean,
    VENDUE_HOME: home,
    VENDUE_MESH: 'test',
    VENDUE_GATEWAY: 'no',
    NO_COLOR: '1',
    TZ: 'UTC',
    ...extra,
  }
}

/** Runs `vendue ...` to its end. */
export function vendue(
  home: string,
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<CommandRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [VENDUE, ...args], { env: testEnv(home, options.env) })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.end(options.input ?? '')
  })
}

/** Runs `vendue ... --json` and reads its one document. */
export async function vendueJson<T = Record<string, unknown>>(home: string, args: readonly string[]): Promise<T> {
  const run = await vendue(home, [...args, '--json'])
  if (run.code !== 0) throw new Error(`vendue ${args.join(' ')} ended with ${run.code}: ${run.stderr}${run.stdout}`)
  return JSON.parse(run.stdout) as T
}

export interface NodeProcessOptions {
  readonly home: string
  readonly name: string
  readonly args?: readonly string[]
  readonly logLevel?: string
  readonly env?: NodeJS.ProcessEnv
  /** Another Node than this one's. */
  readonly node?: string
  /** Another copy of the command line than the one built here. */
  readonly program?: string
}

/** A `vendue start` of its own process, driven over RPC as the command line does it. */
export class NodeProcess {
  readonly options: NodeProcessOptions
  readonly dataDir: string
  #child: ChildProcess | null = null
  #rpcClient: RpcClient | null = null
  #client: NodeApi | null = null
  #output = ''

  constructor(options: NodeProcessOptions) {
    this.options = options
    this.dataDir = join(options.home, 'nodes', options.name)
  }

  static async start(options: NodeProcessOptions): Promise<NodeProcess> {
    const node = new NodeProcess(options)
    try {
      await node.start()
    } catch (error) {
      await node.end('SIGKILL')
      throw error
    }
    return node
  }

  get api(): NodeApi {
    if (!this.#client) throw new Error(`${this.options.name} does not run`)
    return this.#client
  }

  get output(): string {
    return this.#output
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Resolves with the exit code when the process ends, by itself or not. */
  get exited(): Promise<number | null> {
    const child = this.#child
    if (!child) throw new Error(`${this.options.name} does not run`)
    return new Promise((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
      else child.once('close', (code) => resolve(code))
    })
  }

  async start(): Promise<void> {
    const { home, name, args = [], logLevel = 'info', env, node, program } = this.options
    const child = spawn(
      node ?? process.execPath,
      [program ?? VENDUE, 'start', '--name', name, '--log-level', logLevel, ...args],
      {
        env: testEnv(home, env),
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    this.#child = child
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => this.#note(chunk))
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => this.#note(chunk))
    const isOver = () => child.exitCode !== null
    const running = await eventually(
      `${name} is up`,
      () => this.#running(child.pid ?? 0) ?? (isOver() ? OVER : null),
      UP_WITHIN_MS,
    )
    if (running === OVER) throw new Error(`${name} ended with ${child.exitCode}: ${this.#output}`)
    const token = readFileSync(join(this.dataDir, 'operator.token'), 'utf8').trim()
    this.#rpcClient = new RpcClient({ tls: tlsToNode(running.nodeId) })
    this.#client = grenacheNodeApiClient({ rpcClient: this.#rpcClient }, { address: running.address, token })
  }

  /** Sends a signal and waits for the end. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const child = this.#child
    this.#rpcClient?.stop()
    this.#client = null
    this.#child = null
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null
    const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
    child.kill(signal)
    return ended
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  #note(chunk: string): void {
    this.#output = (this.#output + chunk).slice(-MAX_OUTPUT)
  }

  #running(pid: number): { address: string; nodeId: string } | null {
    const path = join(this.dataDir, 'node.json')
    if (!existsSync(path)) return null
    const running = JSON.parse(readFileSync(path, 'utf8')) as { pid: number; address: string; nodeId: string }
    return running.pid === pid ? running : null
  }
}

/** Waits until each node sees all the others. */
export async function untilConnected(nodes: readonly NodeProcess[]): Promise<void> {
  for (const node of nodes) {
    await eventually(`${node.options.name} sees ${nodes.length - 1} peers`, async () => {
      const peers = await node.api.peers()
      return peers.filter(({ state }) => state === 'alive').length >= nodes.length - 1
    })
  }
}

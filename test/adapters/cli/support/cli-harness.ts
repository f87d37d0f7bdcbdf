import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { processDeps } from '../../../../bin/process-deps.js'
import { runCli } from '../../../../src/adapters/cli/run-cli.js'
import type { CliDeps, NodeHandle, NodeTarget } from '../../../../src/adapters/cli/session/cli-deps.js'
import type { NodeSettings } from '../../../../src/adapters/system/settings.js'
import type { Act } from '../../../../src/ports/audit/audit.js'
import type { SyncStatus } from '../../../../src/ports/node/node-status.js'
import { T0 } from '../../../support/auction-scenario.js'
import { FakeNodeApi, INFO } from './fake-node-api.js'

export interface RunOptions {
  readonly env?: Record<string, string>
  readonly deps?: Partial<CliDeps>
  readonly timeZone?: string
}

export interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A command line in a home of its own, in front of a fake node. */
export class CliHarness {
  readonly home = mkdtempSync(join(tmpdir(), 'vendue-cli-'))
  readonly api = new FakeNodeApi()
  /** Nodes that commands were sent to. */
  readonly targets: NodeTarget[] = []
  /** What commands recorded, and where. */
  readonly acts: (Act & { readonly dataDir: string })[] = []
  readonly ended = new AbortController()
  readonly stdin = new PassThrough()
  stdout = ''
  stderr = ''

  /** Makes it look as if a node of this name ran; its process is this one, unless another pid is given. */
  addNode(name: string, { address = '127.0.0.1:7000', pid = process.pid } = {}): string {
    const dataDir = join(this.home, 'nodes', name)
    mkdirSync(dataDir, { recursive: true })
    const node = {
      nodeId: INFO.nodeId,
      name,
      pid,
      address,
      dhtAddress: null,
      grapeUrl: 'http://127.0.0.1:30001',
      startedAt: '2030-01-01T12:00:00.000Z',
      version: '1.2.3',
    }
    writeFileSync(join(dataDir, 'node.json'), JSON.stringify(node))
    writeFileSync(join(dataDir, 'operator.token'), `token of ${name}\n`)
    return dataDir
  }

  async run(
    words: readonly string[],
    { env = {}, deps = {}, timeZone = 'Europe/Berlin' }: RunOptions = {},
  ): Promise<Ran> {
    const before = { stdout: this.stdout.length, stderr: this.stderr.length }
    const code = await runCli(
      words,
      { ...this.#deps(), ...deps },
      {
        stdin: this.stdin,
        stdout: this.#sink('stdout'),
        stderr: this.#sink('stderr'),
        env: { VENDUE_HOME: this.home, ...env },
        userHome: this.home,
        timeZone,
        now: () => this.api.now,
        ended: this.ended.signal,
      },
    )
    return { code, stdout: this.stdout.slice(before.stdout), stderr: this.stderr.slice(before.stderr) }
  }

  /** A line in one string, without quotes in it. */
  line(text: string, options?: RunOptions): Promise<Ran> {
    return this.run(text.split(' '), options)
  }

  dispose(): void {
    this.ended.abort()
    rmSync(this.home, { recursive: true, force: true })
  }

  #sink(stream: 'stdout' | 'stderr'): Writable {
    return new Writable({
      decodeStrings: false,
      write: (text: string, _encoding, done) => {
        this[stream] += text
        done()
      },
    })
  }

  #deps(): CliDeps {
    return {
      createNode: () => Promise.reject(new Error('no node was to be created')),
      startGateway: () => Promise.reject(new Error('no gateway was to be started')),
      openStats: (address: Parameters<CliDeps['openStats']>[0]) => processDeps.openStats(address),
      startGrape: () => Promise.reject(new Error('no Grape was to be started')),
      showInBrowser: () => Promise.reject(new Error('no browser was to be shown anything')),
      repair: () => Promise.reject(new Error('nothing was to be repaired')),
      meshAdmin: () => Promise.reject(new Error('no mesh was to be changed')),
      clusterAdmin: () => Promise.reject(new Error('no cluster was to be changed')),
      readAudit: () => Promise.reject(new Error('no audit record was to be read')),
      recordAct: async (dataDir, act) => {
        this.acts.push({ dataDir, ...act })
      },
      openAccounts: () => Promise.reject(new Error('no accounts were to be opened')),
      openAnalytics: () => Promise.reject(new Error('no statistics were to be computed')),
      connect: (target) => {
        this.targets.push(target)
        return Promise.resolve({ api: this.api, close: () => Promise.resolve() })
      },
    }
  }
}

/** A node for `start` and `client` to run. */
export class FakeNode implements NodeHandle {
  readonly info = INFO
  readonly failed: Promise<Error>
  readonly stopRequested: Promise<void>
  fail: (error: Error) => void = () => {}
  requestStop: () => void = () => {}
  started = 0
  stopped = 0

  get sync(): SyncStatus {
    return this.api.sync
  }

  constructor(
    readonly api: FakeNodeApi,
    readonly settings: NodeSettings,
    private readonly startError: Error | null = null,
  ) {
    this.failed = new Promise((resolve) => {
      this.fail = resolve
    })
    this.stopRequested = new Promise((resolve) => {
      this.requestStop = resolve
    })
  }

  start(): Promise<void> {
    this.started += 1
    return this.startError ? Promise.reject(this.startError) : Promise.resolve()
  }

  stop(): Promise<void> {
    this.stopped += 1
    return Promise.resolve()
  }
}

export const NOON = T0

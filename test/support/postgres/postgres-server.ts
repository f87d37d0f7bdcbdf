import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { appendFileSync, chownSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { eventually } from '../eventually.js'
import { makeTempDir } from '../temp-dir.js'
import { installedPrograms, type PostgresPrograms, packagedPrograms, RUN_AS, run } from './postgres-programs.js'

export interface PostgresOptions {
  /** The packaged ones, unless others are given. */
  readonly programs?: PostgresPrograms
  /** Of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** Where the data is to lie; a folder of its own by default. */
  readonly dataDir?: string
}

export const PASSWORD = 'a secret of the tests'
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'on',
  shared_buffers: '32MB',
  max_connections: '200',
  max_wal_size: '256MB',
  autovacuum_naptime: '5s',
  log_min_messages: 'warning',
}
/**
 * Ends the server once its own input ends, which it does with the tests, however they come to their end. It is apart
 * from the terminal, so that Ctrl-C leaves it to the tests' clean-up.
 */
const GUARD = 'exec 3<&0; "$@" 3<&- & server=$!; (cat <&3 >/dev/null; kill -QUIT $server) 2>/dev/null & wait $server'

/** A PostgreSQL server of the test's own, with its fsync on. */
export class PostgresServer {
  readonly #programs: PostgresPrograms
  readonly #remove: () => void
  readonly dataDir: string
  readonly port: number
  #guard: ChildProcess | null = null
  #databases = 0

  private constructor(programs: PostgresPrograms, dataDir: string, port: number, remove: () => void) {
    this.#programs = programs
    this.dataDir = dataDir
    this.port = port
    this.#remove = remove
  }

  /** Whether nobody listens on a port. */
  static isFree(port: number): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.on('connect', () => resolve(false))
      socket.on('error', () => resolve(true))
      socket.on('connect', () => socket.destroy())
    })
  }

  /** What a server lies in whose process did not get to remove it. */
  static removeLeft(dataDir: string): void {
    rmSync(dirname(dataDir), { recursive: true, force: true, maxRetries: 5 })
  }

  static async start({ programs, settings = {}, dataDir }: PostgresOptions = {}): Promise<PostgresServer> {
    const { path, remove } = makeOpenDir()
    const used = programs ?? (await packagedPrograms(path))
    const server = new PostgresServer(used, dataDir ?? join(path, 'data'), await freePort(), remove)
    const passwordFile = join(path, 'password')
    writeFileSync(passwordFile, PASSWORD)
    giveAway(passwordFile)
    const auth = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
    run(used, 'initdb', ['-D', server.dataDir, '--encoding=UTF8', '--locale=C', '--no-sync', ...auth], path)
    server.configure({ ...SETTINGS, ...settings, port: String(server.port) })
    await server.#startOrClean()
    return server
  }

  /**
   * A server that follows this one. `name` is what `synchronous_standby_names` may call it. Only with the programs of a
   * whole installation.
   */
  async standby(name: string): Promise<PostgresServer> {
    const { path, remove } = makeOpenDir()
    const server = new PostgresServer(this.#programs, join(path, 'data'), await freePort(), remove)
    const source = `host=127.0.0.1 port=${this.port} user=postgres password='${PASSWORD}' application_name=${name}`
    run(this.#programs, 'pg_basebackup', ['-D', server.dataDir, '-R', '-c', 'fast', '-d', source], path)
    server.configure({ port: String(server.port), primary_conninfo: source })
    await server.#startOrClean()
    return server
  }

  /** For the next start; with `reload`, for now. */
  configure(settings: Readonly<Record<string, string>>): void {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'\n`)
    appendFileSync(join(this.dataDir, 'postgresql.auto.conf'), lines.join(''))
  }

  async reload(): Promise<void> {
    await this.query('SELECT pg_reload_conf()')
  }

  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  url(database = 'postgres', user = 'postgres', password = PASSWORD): string {
    return `postgres://${user}:${encodeURIComponent(password)}@${this.host}/${database}`
  }

  /** A new, empty database; resolves with its name. */
  async createDatabase(): Promise<string> {
    const name = `test_${++this.#databases}`
    await this.query(`CREATE DATABASE ${name}`)
    return name
  }

  /** Carried out on a connection of its own. */
  async query(sql: string, database = 'postgres'): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: this.url(database), connectionTimeoutMillis: 2_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      const { rows } = (await client.query(sql)) as { rows: Record<string, unknown>[] }
      return rows
    } finally {
      await client.end()
    }
  }

  async start(): Promise<void> {
    if (this.#guard !== null) return
    const { bin, env } = this.#programs
    const args = ['-c', GUARD, 'sh', join(bin, 'postgres'), '-D', this.dataDir]
    const log = join(this.dataDir, '..', 'log')
    const options = { ...RUN_AS, cwd: this.dataDir, env: { ...process.env, ...env }, detached: true } as const
    const guard = spawn('sh', args, { ...options, stdio: ['pipe', 'ignore', 'pipe'] })
    guard.stderr.on('data', (chunk: Buffer) => appendFileSync(log, chunk))
    guard.stdin.on('error', () => {})
    guard.on('error', () => {})
    this.#guard = guard
    const isOver = () => guard.exitCode !== null || guard.signalCode !== null || guard.pid === undefined
    await eventually('the server answers, or has ended', async () => isOver() || (await this.#answers()))
    if (isOver()) throw new Error(`postgres has ended: ${readFileSync(log, 'utf8')}`)
  }

  /** A standby becomes a primary; resolves once it takes writes. */
  async promote(): Promise<void> {
    await this.query('SELECT pg_promote(true, 60)')
  }

  /** As if the machine had gone: at once, and what it had not written to its disk is not there. */
  kill(): Promise<void> {
    return this.#end(signalFamily('SIGKILL'))
  }

  /** Connections are cut, what is committed is kept. */
  stop(): Promise<void> {
    return this.#end((guard) => guard.stdin?.end())
  }

  /** Its sockets stay open, and nobody answers. */
  pause(): void {
    if (this.#guard) signalFamily('SIGSTOP')(this.#guard)
  }

  resume(): void {
    if (this.#guard) signalFamily('SIGCONT')(this.#guard)
  }

  /** Stops it, and removes what it left. Idempotent. */
  async dispose(): Promise<void> {
    await this.kill()
    this.#remove()
  }

  async #startOrClean(): Promise<void> {
    try {
      await this.start()
    } catch (error) {
      await this.dispose()
      throw error
    }
  }

  async #end(how: (guard: ChildProcess) => void): Promise<void> {
    const guard = this.#guard
    if (guard?.pid === undefined) return
    this.#guard = null
    const family = familyOf(guard.pid)
    how(guard)
    await eventually('the server has ended', () => !family.some(isRunning))
    guard.stdin?.destroy()
    guard.stderr?.destroy()
  }

  async #answers(): Promise<true> {
    await new Promise<void>((resolve, reject) => {
      const socket = connect(this.port, '127.0.0.1', resolve)
      socket.on('error', reject)
      socket.on('connect', () => socket.destroy())
    })
    await this.query('SELECT 1')
    return true
  }
}

/** Null, with the reason, where no whole installation is here. */
export function standbyPrograms(): PostgresPrograms | null {
  return installedPrograms()
}

let shared: Promise<PostgresServer> | null = null

/** One server for all suites of a run that do nothing to it; it starts with the first, and ends with the run. */
export function sharedServer(): Promise<PostgresServer> {
  shared ??= PostgresServer.start()
  return shared
}

export async function endSharedServer(): Promise<void> {
  const server = await shared?.catch(() => null)
  shared = null
  await server?.dispose()
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** To the server and everything that it has started. */
function signalFamily(signal: NodeJS.Signals): (guard: ChildProcess) => void {
  return ({ pid }) => {
    for (const each of pid === undefined ? [] : familyOf(pid)) {
      try {
        process.kill(each, signal)
      } catch {
        // It has ended by itself.
      }
    }
  }
}

/** A process with all that it and its children have started, parents first. */
function familyOf(pid: number): number[] {
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const processes = listed
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  const family = [pid]
  for (const parent of family) for (const [child, of] of processes) if (of === parent && child) family.push(child)
  return family
}

function makeOpenDir(): { path: string; remove: () => void } {
  const { path, remove } = makeTempDir()
  giveAway(path)
  return { path, remove }
}

function giveAway(path: string): void {
  if (RUN_AS.uid !== undefined && RUN_AS.gid !== undefined) chownSync(path, RUN_AS.uid, RUN_AS.gid)
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port is free')
  return address.port
}

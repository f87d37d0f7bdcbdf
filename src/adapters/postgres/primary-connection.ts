import { Socket } from 'node:net'
import pg from 'pg'
import type { PostgresAddress, PostgresHost } from './postgres-address.js'

/** The time to connect, log in and check whether the server takes writes. */
export const CONNECT_TIMEOUT_MS = 1_000
const INT8 = 20
/** The class of PostgreSQL's warnings. */
const WARNING = '01000'

export interface Statement {
  readonly text: string
  /** A named statement is parsed once for each connection. */
  readonly name?: string
  readonly values?: readonly unknown[]
}

/**
 * A connection that never hangs: if an answer takes too long, its socket is destroyed. PostgreSQL's protocol has no
 * other way to find out that the server is gone.
 */
export class PostgresConnection {
  readonly host: PostgresHost
  readonly #client: pg.Client
  readonly #socket: Socket
  /** Why it cannot be used any more. */
  #broken: Error | null = null
  #warned = false

  private constructor(host: PostgresHost, address: PostgresAddress) {
    const socket = new Socket()
    this.host = host
    this.#socket = socket
    this.#client = new pg.Client({
      host: host.host,
      port: host.port,
      user: address.user,
      password: address.password,
      database: address.database,
      ssl: tlsOptions(address),
      application_name: 'vendue',
      keepAlive: true,
      stream: () => socket,
      types: { getTypeParser },
    })
    this.#client.on('error', (error) => {
      this.#broken ??= error
    })
    this.#client.on('end', () => {
      this.#broken ??= new Error('the server closed the connection')
    })
    this.#client.on('notice', ({ code }) => {
      if (code === WARNING) this.#warned = true
    })
  }

  static async open(host: PostgresHost, address: PostgresAddress): Promise<PostgresConnection> {
    const connection = new PostgresConnection(host, address)
    await connection.#within(CONNECT_TIMEOUT_MS, () => connection.#client.connect())
    return connection
  }

  get broken(): Error | null {
    return this.#broken
  }

  /**
   * Whether the server has warned since the last call. Such a warning means that a wait for a standby was cancelled:
   * the statement succeeds, but its rows may not have reached the standby.
   */
  takeWarning(): boolean {
    const warned = this.#warned
    this.#warned = false
    return warned
  }

  /** Rejects with pg's error; after `timeoutMs` the connection is broken as well. */
  async query<Row extends object>(statement: Statement, timeoutMs: number): Promise<Row[]> {
    const { text, name, values = [] } = statement
    const query = { text, values: [...values], ...(name !== undefined && { name }) }
    const { rows } = await this.#within(timeoutMs, () => this.#client.query<Row>(query))
    return rows
  }

  /** Closes at once: statements under way reject. */
  destroy(error = new Error('the connection was given up')): void {
    this.#broken ??= error
    this.#socket.destroy(error)
  }

  /** Closes in an orderly way, but does not wait long. */
  async end(): Promise<void> {
    await this.#within(CONNECT_TIMEOUT_MS, () => this.#client.end()).catch(() => {})
    this.#socket.destroy()
  }

  async #within<T>(timeoutMs: number, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs)
    try {
      return await work()
    } catch (error) {
      throw this.#broken !== null && !(error instanceof pg.DatabaseError) ? this.#broken : error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Times and seqs fit into numbers. */
function getTypeParser(oid: number, format?: string): (value: string) => unknown {
  if (oid === INT8) return Number
  return pg.types.getTypeParser(oid, format as 'text') as (value: string) => unknown
}

function tlsOptions({ tls }: PostgresAddress): pg.ClientConfig['ssl'] {
  if (tls === null) return false
  return { rejectUnauthorized: tls.verifies, ...(tls.ca !== null && { ca: tls.ca }) }
}

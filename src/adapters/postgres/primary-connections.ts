import { setTimeout as wait } from 'node:timers/promises'
import { SharedLogError, type SharedLogStatus } from '../../ports/store/shared-log.js'
import { hostText, type PostgresAddress, type PostgresHost } from './postgres-address.js'
import { isLost, operatorError, sqlState, willPass } from './postgres-errors.js'
import { PostgresConnection } from './primary-connection.js'
import { prepareLog, takesWrites } from './shared-log-schema.js'

/** The pause between two rounds over the hosts, while none takes writes. */
const ROUND_PAUSE_MS = 100
/** Connections of one node. Heartbeats and reads sometimes need one each, appends up to four. */
const MAX_CONNECTIONS = 8

interface Waiting {
  readonly resolve: () => void
}

/**
 * Connections to the one server that takes writes at the moment. An error on one of them ends all: they lead to the
 * same server, so the primary is searched for again.
 */
export class PrimaryConnections {
  readonly #address: PostgresAddress
  readonly #clusterId: string
  #idle: PostgresConnection[] = []
  readonly #open = new Set<PostgresConnection>()
  readonly #waiting: Waiting[] = []
  /** Taken, or being opened. */
  #used = 0
  /** The host that was connected to last is tried first. */
  #primary: PostgresHost | null = null
  #session = 0
  #error: SharedLogError | null = null
  #closed = false

  constructor(address: PostgresAddress, clusterId: string) {
    this.#address = address
    this.#clusterId = clusterId
  }

  /** See `ClusterView`. */
  get session(): number {
    return this.#session
  }

  status(): SharedLogStatus {
    const connected = [...this.#open].find(({ broken }) => broken === null)
    return { connectedTo: connected === undefined ? null : hostText(connected.host), error: this.#error }
  }

  /**
   * Calls `work` with a connection as soon as there is one. Rejects with a `SharedLogError` if there is none by
   * `deadlineMs` (of `performance.now()`), or if an operator has to correct something; otherwise rejects as `work`
   * does.
   */
  async use<T>(deadlineMs: number, work: (connection: PostgresConnection) => Promise<T>): Promise<T> {
    const connection = await this.#take(deadlineMs)
    try {
      const result = await work(connection)
      this.#error = null
      return result
    } catch (error) {
      if (connection.broken !== null || isLost(error)) this.#dropAll(error)
      const translated = error instanceof SharedLogError ? error : this.#operatorError(error, connection.host)
      if (translated === null) throw error
      this.#error = translated
      throw translated
    } finally {
      this.#give(connection)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    const idle = this.#idle
    this.#idle = []
    for (const connection of this.#open) if (!idle.includes(connection)) connection.destroy()
    this.#open.clear()
    await Promise.all(idle.map((connection) => connection.end()))
  }

  async #take(deadlineMs: number): Promise<PostgresConnection> {
    while (this.#used >= MAX_CONNECTIONS) await new Promise<void>((resolve) => this.#waiting.push({ resolve }))
    this.#used++
    try {
      for (;;) {
        if (this.#closed) throw new SharedLogError('LOG_UNREACHABLE', 'the shared log has been closed')
        const idle = this.#idle.pop()
        if (idle !== undefined && idle.broken === null) return idle
        if (idle !== undefined) {
          this.#dropAll(idle.broken)
          continue
        }
        const opened = await this.#connect()
        if (opened !== null) return opened
        if (performance.now() + ROUND_PAUSE_MS >= deadlineMs) throw this.#error
        await wait(ROUND_PAUSE_MS)
      }
    } catch (error) {
      this.#release()
      throw error
    }
  }

  #give(connection: PostgresConnection): void {
    if (this.#closed || connection.broken !== null) connection.destroy()
    if (this.#open.has(connection) && connection.broken === null) this.#idle.push(connection)
    this.#release()
  }

  #release(): void {
    this.#used--
    this.#waiting.shift()?.resolve()
  }

  #dropAll(error: unknown): void {
    for (const connection of this.#open) connection.destroy(error instanceof Error ? error : undefined)
    this.#open.clear()
    this.#idle = []
  }

  /** One round over the hosts; null if none takes writes now, which `status` explains. */
  async #connect(): Promise<PostgresConnection | null> {
    const { hosts } = this.#address
    const first = hosts.filter((host) => host === this.#primary)
    const found: string[] = []
    let operator: SharedLogError | null = null
    for (const host of [...first, ...hosts.filter((each) => each !== this.#primary)]) {
      try {
        const connection = await this.#connectTo(host)
        if (connection !== null) return connection
        found.push(`${hostText(host)}: read-only, a standby`)
      } catch (error) {
        if (sqlState(error) !== '' && !isLost(error) && !willPass(error) && !this.#operatorError(error, host))
          throw error
        operator ??= error instanceof SharedLogError ? error : this.#operatorError(error, host)
        found.push(`${hostText(host)}: ${reason(error)}`)
      }
    }
    this.#error =
      operator ??
      new SharedLogError(
        'LOG_UNREACHABLE',
        `no PostgreSQL that takes writes answers (${found.join('; ')}); nothing is acknowledged meanwhile. If this lasts, look at the server, the network, and the hosts in the URL of the shared log`,
      )
    if (operator !== null) throw operator
    return null
  }

  /** Null if the server takes no writes. */
  async #connectTo(host: PostgresHost): Promise<PostgresConnection | null> {
    const connection = await PostgresConnection.open(host, this.#address)
    try {
      if (!(await takesWrites(connection))) {
        await connection.end()
        return null
      }
      await prepareLog(connection, this.#clusterId)
    } catch (error) {
      connection.destroy()
      throw error
    }
    if (this.#open.size === 0) this.#session++
    if (this.#primary !== host && this.#open.size > 0) {
      // Two servers take writes. Whichever is the right one, all calls have to go to the same.
      this.#dropAll(new Error('another server has become the primary'))
      this.#session++
    }
    this.#primary = host
    this.#open.add(connection)
    this.#error = null
    return connection
  }

  #operatorError(error: unknown, host: PostgresHost): SharedLogError | null {
    return operatorError(error, { address: this.#address, host })
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { errors } = error as AggregateError
  return Array.isArray(errors) && errors.length > 0 ? reason(errors[0]) : error.message
}

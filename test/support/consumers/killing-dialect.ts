import {
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
  type TransactionSettings,
} from 'kysely'

/** As much as a process that is killed: it hears nothing more of its database, which takes back what was under way. */
export class KilledError extends Error {}

/**
 * A database whose client is killed at a step of its own: before it begins a transaction, at any statement, before the
 * commit, or after it and before the answer.
 */
export class KillingDialect implements Dialect {
  readonly #dialect: Dialect
  #left = Number.POSITIVE_INFINITY
  kills = 0

  /** `goodbye`: a statement that leaves as little of a session as its end does. */
  constructor(
    dialect: Dialect,
    readonly goodbye: string | null = null,
  ) {
    this.#dialect = dialect
  }

  get isDead(): boolean {
    return this.#left <= 0
  }

  /** The next client lives for so many steps. */
  revive(steps = Number.POSITIVE_INFINITY): void {
    this.#left = steps
  }

  step(): void {
    if (this.#left <= 0) throw new KilledError('dead')
    this.#left -= 1
    if (this.#left > 0) return
    this.kills += 1
    throw new KilledError('killed')
  }

  createDriver(): Driver {
    return new KillingDriver(this.#dialect.createDriver(), this)
  }

  createQueryCompiler(): QueryCompiler {
    return this.#dialect.createQueryCompiler()
  }

  createAdapter(): DialectAdapter {
    return this.#dialect.createAdapter()
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return this.#dialect.createIntrospector(db)
  }
}

class KillingDriver implements Driver {
  readonly #driver: Driver
  readonly #killer: KillingDialect
  readonly #open = new Set<DatabaseConnection>()

  constructor(driver: Driver, killer: KillingDialect) {
    this.#driver = driver
    this.#killer = killer
  }

  init(): Promise<void> {
    return this.#driver.init()
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new KillingConnection(await this.#driver.acquireConnection(), this.#killer)
  }

  async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    this.#killer.step()
    await this.#driver.beginTransaction(innerOf(connection), settings)
    this.#open.add(connection)
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    this.#killer.step()
    await this.#driver.commitTransaction(innerOf(connection))
    this.#open.delete(connection)
    this.#killer.step()
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#open.delete(connection)) await this.#driver.rollbackTransaction(innerOf(connection))
  }

  /** What its client has left open the database takes back by itself. */
  async releaseConnection(connection: DatabaseConnection): Promise<void> {
    await this.rollbackTransaction(connection)
    const { isDead, goodbye } = this.#killer
    if (isDead && goodbye !== null) await innerOf(connection).executeQuery(CompiledQuery.raw(goodbye))
    await this.#driver.releaseConnection(innerOf(connection))
  }

  destroy(): Promise<void> {
    return this.#driver.destroy()
  }
}

class KillingConnection implements DatabaseConnection {
  readonly inner: DatabaseConnection
  readonly #killer: KillingDialect

  constructor(inner: DatabaseConnection, killer: KillingDialect) {
    this.inner = inner
    this.#killer = killer
  }

  async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    this.#killer.step()
    return this.inner.executeQuery<Row>(query)
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.inner.streamQuery<Row>(query, chunkSize)
  }
}

function innerOf(connection: DatabaseConnection): DatabaseConnection {
  return (connection as KillingConnection).inner
}

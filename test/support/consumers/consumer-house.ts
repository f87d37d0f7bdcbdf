import { setTimeout } from 'node:timers/promises'
import { type Dialect, Kysely } from 'kysely'
import { SqlConsumerStore } from '../../../src/adapters/sql/sql-consumer-store.js'
import { sqlStatRows } from '../../../src/adapters/sql/sql-stat-rows.js'
import type { SqlTables } from '../../../src/adapters/sql/sql-tables.js'
import { statProjection } from '../../../src/application/analytics/stat-projection.js'
import { Consumer, type ConsumerOptions } from '../../../src/application/consumers/consumer.js'
import { readBodyAgain } from '../../../src/application/log/written-body.js'
import { type Auction, UNOPENED } from '../../../src/domain/auction.js'
import type { Commit } from '../../../src/domain/commit.js'
import { evolve } from '../../../src/domain/evolve.js'
import type { ConsumerStore, Projection } from '../../../src/ports/store/consumer-store.js'
import type { StatFact } from '../../../src/ports/store/stat-facts.js'
import type { SignatureVerifier } from '../../../src/ports/system/signer.js'
import { ManualTime, settle } from '../manual-time.js'
import { silentLogger } from '../silent-logger.js'
import { KillingDialect } from './killing-dialect.js'
import { MemoryLogs } from './memory-logs.js'

export const TRUSTING: SignatureVerifier = { verify: () => true }

/** Consumers of one log over one database, in time that moves by hand. */
export class ConsumerHouse {
  readonly logs = new MemoryLogs()
  readonly time = new ManualTime()
  readonly dialect: KillingDialect
  readonly db: Kysely<SqlTables>

  readonly #turnMs: number

  /** `turnMs`: how long the database may take for what consumers ask of it; 0: it answers in this thread. */
  constructor(dialect: Dialect, { turnMs = 0, goodbye = null as string | null } = {}) {
    this.#turnMs = turnMs
    this.dialect = new KillingDialect(dialect, goodbye)
    this.db = new Kysely({ dialect: this.dialect })
  }

  store(): ConsumerStore<StatFact> {
    return new SqlConsumerStore({ db: this.db, rows: sqlStatRows }, { consumer: 'analytics', place: 'a test' })
  }

  consumer(
    options: Partial<ConsumerOptions> = {},
    more: { verifier?: SignatureVerifier; projection?: Projection<StatFact>; logs?: MemoryLogs } = {},
  ): Consumer<StatFact> {
    const { verifier = TRUSTING, projection = statProjection, logs = this.logs } = more
    const { time } = this
    return new Consumer(
      { logs, store: this.store(), projection, verifier, clock: time, timers: time, logger: silentLogger },
      { holder: 'one', ...options },
    )
  }

  /** Lets time pass until it is done. */
  async passing<T>(work: Promise<T>): Promise<T> {
    let over = false
    const done = () => {
      over = true
    }
    work.then(done, done)
    for (;;) {
      if (this.#turnMs === 0) await settle()
      else await Promise.race([work.catch(() => {}), setTimeout(this.#turnMs)])
      if (over) return work
      // Whoever is silent now is taken for dead.
      await this.time.advance(5_000)
    }
  }

  /** Rows of a generation, the live one otherwise, without its number. */
  async rows(generation?: number): Promise<Record<string, object[]>> {
    const number = generation ?? (await this.store().generations()).find(({ state }) => state === 'live')?.number
    return rowsOf(this.db, number ?? 0)
  }

  /** The numbers of the generations that any rows are of. */
  async generationsWithRows(): Promise<number[]> {
    const numbers = new Set<number>()
    for (const table of [...sqlStatRows.tables, 'consumer_cursors' as const, 'consumer_misfits' as const])
      for (const { generation } of await this.db.selectFrom(table).select('generation').distinct().execute())
        numbers.add(generation)
    return [...numbers].sort((a, b) => a - b)
  }

  async dispose(): Promise<void> {
    this.dialect.revive()
    await this.db.destroy()
  }
}

async function rowsOf(db: Kysely<SqlTables>, number: number): Promise<Record<string, object[]>> {
  const found: Record<string, object[]> = {}
  for (const table of sqlStatRows.tables) {
    const rows = await db
      .selectFrom(table)
      .selectAll()
      .where('generation', '=', number)
      .orderBy('auction_id')
      .orderBy('seq')
      .execute()
    found[table] = rows.map(({ generation: _, ...row }) => row)
  }
  return found
}

/** What the commits come to, without a store or a consumer. */
export function factsOf(commits: readonly Commit[]): StatFact[] {
  const states = new Map<string, Auction>()
  return commits.flatMap(({ auctionId, firstSeq, body }) =>
    readBodyAgain(body).events.flatMap((event, i) => {
      const before = states.get(auctionId) ?? UNOPENED
      const after = evolve(before, event)
      states.set(auctionId, after)
      return statProjection.changesOf({ auctionId, seq: firstSeq + i, event, before, after })
    }),
  )
}

/** The keys of rows and of facts, to see that each fact has made one row. */
export function keysOfRows(rows: Record<string, object[]>): string[] {
  return Object.values(rows)
    .flat()
    .map((row) => {
      const { auction_id, seq } = row as { auction_id: string; seq: number }
      return `${auction_id}#${seq}`
    })
    .sort()
}

export function keysOfFacts(facts: readonly StatFact[]): string[] {
  return facts.map(({ auctionId, seq }) => `${auctionId}#${seq}`).sort()
}

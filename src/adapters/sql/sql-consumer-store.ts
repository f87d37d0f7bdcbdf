/** Room `sql`: the results that consumers compute from auctions' events, in SQLite or PostgreSQL. */

import { type Kysely, sql, type Transaction } from 'kysely'
import type { Head } from '../../domain/commit.js'
import {
  type Claim,
  ClaimLostError,
  type ConsumerCursor,
  type ConsumerStore,
  type Generation,
  type GenerationState,
  type Misfit,
  type Step,
} from '../../ports/store/consumer-store.js'
import { consumerStoreError } from './sql-errors.js'
import { cursorOf, cursorRow, generationOf, misfitsOf, sweepMisfits, sweepRows } from './sql-generations.js'
import { openTables } from './sql-open-tables.js'
import { inParts, type SqlRows } from './sql-rows.js'
import type { GenerationRow, SqlTables } from './sql-tables.js'

export interface SqlConsumerStoreDeps<Change> {
  readonly db: Kysely<SqlTables>
  readonly rows: SqlRows<Change>
}

export interface SqlConsumerStoreOptions {
  /** Many consumers may share a database. */
  readonly consumer: string
  /** Where the database is, for people. */
  readonly place: string
}

export class SqlConsumerStore<Change> implements ConsumerStore<Change> {
  readonly #db: Kysely<SqlTables>
  readonly #rows: SqlRows<Change>
  readonly #consumer: string
  readonly #place: string
  #opened = false

  constructor({ db, rows }: SqlConsumerStoreDeps<Change>, { consumer, place }: SqlConsumerStoreOptions) {
    this.#db = db
    this.#rows = rows
    this.#consumer = consumer
    this.#place = place
  }

  open(): Promise<void> {
    return this.#guard(async () => {
      if (this.#opened) return
      await openTables(this.#db, this.#place)
      this.#opened = true
    })
  }

  generations(): Promise<Generation[]> {
    return this.#guard(async () => {
      const rows = await this.#db
        .selectFrom('consumer_generations')
        .selectAll()
        .where('consumer', '=', this.#consumer)
        .orderBy('generation')
        .execute()
      return rows.map(generationOf)
    })
  }

  begin(version: number): Promise<number> {
    return this.#transaction(async (transaction) => {
      const known = await transaction
        .selectFrom('consumer_generations')
        .select(['generation', 'state'])
        .where('consumer', '=', this.#consumer)
        .execute()
      const generation = Math.max(0, ...known.map((row) => row.generation)) + 1
      const state: GenerationState = known.some((row) => row.state === 'live') ? 'building' : 'live'
      await transaction
        .insertInto('consumer_generations')
        .values({
          consumer: this.#consumer,
          generation,
          state,
          version,
          holder: null,
          epoch: 0,
          beat: 0,
        })
        .execute()
      return generation
    })
  }

  claim({ number, holder, beat }: Generation, newHolder: string): Promise<Claim | null> {
    return this.#transaction(async (transaction) => {
      const { numUpdatedRows } = await transaction
        .updateTable('consumer_generations')
        .set({ holder: newHolder, epoch: sql`epoch + 1`, beat: sql`beat + 1` })
        .where('consumer', '=', this.#consumer)
        .where('generation', '=', number)
        .where('beat', '=', beat)
        .where('holder', holder === null ? 'is' : '=', holder)
        .where('state', '!=', 'retired')
        .executeTakeFirst()
      if (numUpdatedRows === 0n) return null
      const { epoch } = await transaction
        .selectFrom('consumer_generations')
        .select('epoch')
        .where('consumer', '=', this.#consumer)
        .where('generation', '=', number)
        .executeTakeFirstOrThrow()
      return { generation: number, epoch }
    })
  }

  beat(claim: Claim): Promise<void> {
    return this.#transaction((transaction) => this.#hold(transaction, claim, {}))
  }

  release(claim: Claim): Promise<void> {
    return this.#transaction((transaction) => this.#hold(transaction, claim, { holder: null })).catch(
      (error: unknown) => {
        if (!(error instanceof ClaimLostError)) throw error
      },
    )
  }

  cursors(generation: number, auctionIds: readonly string[]): Promise<ConsumerCursor[]> {
    return this.#guard(async () => {
      const found: ConsumerCursor[] = []
      for (const ids of inParts(auctionIds)) {
        const rows = await this.#cursorsOf(generation, ids).selectAll().execute()
        found.push(...rows.map(cursorOf))
      }
      return found
    })
  }

  heads(generation: number, auctionIds: readonly string[]): Promise<Map<string, Head>> {
    return this.#guard(async () => {
      const found = new Map<string, Head>()
      for (const ids of inParts(auctionIds)) {
        const rows = await this.#cursorsOf(generation, ids).select(['auction_id', 'seq', 'hash']).execute()
        for (const { auction_id, seq, hash } of rows) found.set(auction_id, { seq, hash })
      }
      return found
    })
  }

  advance(claim: Claim, { cursors, changes }: Step<Change>): Promise<void> {
    return this.#transaction(async (transaction) => {
      // First of all: another instance that works on the generation waits here, and is refused.
      await this.#hold(transaction, claim, {})
      await this.#rows.write(transaction, claim.generation, changes)
      for (const some of inParts(cursors)) {
        await transaction
          .insertInto('consumer_cursors')
          .values(some.map((cursor) => cursorRow(this.#consumer, claim, cursor)))
          .onConflict((conflict) =>
            conflict.columns(['consumer', 'generation', 'auction_id']).doUpdateSet((eb) => ({
              seq: eb.ref('excluded.seq'),
              hash: eb.ref('excluded.hash'),
              signer: eb.ref('excluded.signer'),
              signature: eb.ref('excluded.signature'),
              state: eb.ref('excluded.state'),
            })),
          )
          .execute()
      }
    })
  }

  stop(claim: Claim, misfit: Misfit): Promise<void> {
    const { auctionId } = misfit
    return this.#transaction(async (transaction) => {
      await this.#forgetMisfit(transaction, claim, auctionId)
      const key = { consumer: this.#consumer, generation: claim.generation, auction_id: auctionId }
      await transaction
        .insertInto('consumer_misfits')
        .values({ ...key, misfit: JSON.stringify(misfit) })
        .execute()
    })
  }

  resume(claim: Claim, auctionId: string): Promise<void> {
    return this.#transaction((transaction) => this.#forgetMisfit(transaction, claim, auctionId))
  }

  misfits(generation: number): Promise<Misfit[]> {
    return this.#guard(() => misfitsOf(this.#db, this.#consumer, generation))
  }

  swap(claim: Claim): Promise<void> {
    return this.#transaction(async (transaction) => {
      await this.#hold(transaction, claim, {})
      await transaction
        .updateTable('consumer_generations')
        .set({ state: 'retired' })
        .where('consumer', '=', this.#consumer)
        .where('generation', '!=', claim.generation)
        .execute()
      await this.#hold(transaction, claim, { state: 'live' })
    })
  }

  abandon(generation: number): Promise<void> {
    return this.#guard(async () => {
      await this.#db
        .updateTable('consumer_generations')
        .set({ state: 'retired' })
        .where('consumer', '=', this.#consumer)
        .where('generation', '=', generation)
        .where('state', '=', 'building')
        .execute()
    })
  }

  sweep(generation: number, rows: number): Promise<boolean> {
    return this.#transaction(async (transaction) => {
      for (const table of this.#rows.tables) {
        const swept = await sweepRows(transaction, table, generation, rows)
        if (swept) return true
      }
      const { numDeletedRows } = await transaction
        .deleteFrom('consumer_cursors')
        .where('consumer', '=', this.#consumer)
        .where('generation', '=', generation)
        .where('auction_id', 'in', (eb) =>
          eb
            .selectFrom('consumer_cursors')
            .select('auction_id')
            .where('consumer', '=', this.#consumer)
            .where('generation', '=', generation)
            .limit(rows),
        )
        .executeTakeFirst()
      if (numDeletedRows > 0n) return true
      await sweepMisfits(transaction, this.#consumer, generation)
      await transaction
        .deleteFrom('consumer_generations')
        .where('consumer', '=', this.#consumer)
        .where('generation', '=', generation)
        .where('state', '=', 'retired')
        .execute()
      return false
    })
  }

  close(): Promise<void> {
    return this.#db.destroy()
  }

  async #forgetMisfit(transaction: Transaction<SqlTables>, claim: Claim, auctionId: string): Promise<void> {
    await this.#hold(transaction, claim, {})
    await transaction
      .deleteFrom('consumer_misfits')
      .where('consumer', '=', this.#consumer)
      .where('generation', '=', claim.generation)
      .where('auction_id', '=', auctionId)
      .execute()
  }

  /** Stores these changes if the claim still holds. Rejects with `ClaimLostError` otherwise. */
  async #hold(transaction: Transaction<SqlTables>, claim: Claim, change: Partial<GenerationRow>): Promise<void> {
    const { numUpdatedRows } = await transaction
      .updateTable('consumer_generations')
      .set({ ...change, beat: sql`beat + 1` })
      .where('consumer', '=', this.#consumer)
      .where('generation', '=', claim.generation)
      .where('epoch', '=', claim.epoch)
      .where('state', '!=', 'retired')
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new ClaimLostError(claim.generation)
  }

  #cursorsOf(generation: number, auctionIds: readonly string[]) {
    return this.#db
      .selectFrom('consumer_cursors')
      .where('consumer', '=', this.#consumer)
      .where('generation', '=', generation)
      .where('auction_id', 'in', auctionIds)
  }

  #transaction<T>(work: (transaction: Transaction<SqlTables>) => Promise<T>): Promise<T> {
    return this.#guard(() => this.#db.transaction().execute(work))
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw consumerStoreError(error, this.#place) ?? error
    }
  }
}

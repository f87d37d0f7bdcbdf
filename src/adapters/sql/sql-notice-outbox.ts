import { type Kysely, sql } from 'kysely'
import type { OpenedAuction } from '../../domain/auction.js'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'
import type { NoticeTarget } from '../../ports/notices/notice-channel.js'
import {
  DELIVERY_STATES,
  type DeliveryState,
  type LeasedDelivery,
  type LeaseRequest,
  type NoticeOutbox,
  type OutboxCounts,
  type OutboxDelivery,
} from '../../ports/notices/notice-outbox.js'
import type { NoticeSettings } from '../../ports/notices/notice-settings.js'
import { consumerStoreError } from './sql-errors.js'
import { settingsOf } from './sql-notice-settings.js'
import type { NoticeDeliveryRow, SqlTables } from './sql-tables.js'

export interface SqlNoticeOutboxOptions {
  /** Whose cursors hold the auctions. */
  readonly consumer: string
  readonly place: string
  readonly defaults: NoticeSettings
}

/** Rows that are looked at to find some for different targets. */
const LOOKED_AT = 256

export class SqlNoticeOutbox implements NoticeOutbox {
  readonly #db: Kysely<SqlTables>
  readonly #options: SqlNoticeOutboxOptions

  constructor({ db }: { readonly db: Kysely<SqlTables> }, options: SqlNoticeOutboxOptions) {
    this.#db = db
    this.#options = options
  }

  lease({ now, leaseMs, limit, busy }: LeaseRequest): Promise<LeasedDelivery[]> {
    return this.#guard(async () => {
      const rows = await this.#due({ now, limit, busy })
      if (rows.length === 0) return []
      await this.#db
        .updateTable('notice_deliveries')
        .set({
          state: 'sending',
          due_at: now + leaseMs,
          attempts: sql`attempts + 1`,
          first_tried_at: sql`coalesce(first_tried_at, ${now})`,
        })
        .where(
          'id',
          'in',
          rows.map(({ id }) => id),
        )
        .execute()
      return this.#withFacts(rows.map((row) => ({ ...row, attempts: row.attempts + 1, state: 'sending' })))
    })
  }

  settle(delivery: Pick<OutboxDelivery, 'id' | 'attempts'>, to: Parameters<NoticeOutbox['settle']>[1]): Promise<void> {
    return this.#end(delivery, { state: to.state, why: to.why, settled_at: to.now })
  }

  postpone(
    delivery: Pick<OutboxDelivery, 'id' | 'attempts'>,
    { dueAt, why, counts }: Parameters<NoticeOutbox['postpone']>[1],
  ): Promise<void> {
    const back = counts ? {} : { attempts: delivery.attempts - 1 }
    const untried = !counts && delivery.attempts === 1 ? { first_tried_at: null } : {}
    return this.#end(delivery, { state: 'waiting', due_at: dueAt, why, ...back, ...untried })
  }

  retire(targetId: string, why: string): Promise<void> {
    return this.#guard(async () => {
      await this.#db
        .updateTable('notice_targets')
        .set({ state: 'gone', why })
        .where('id', '=', targetId)
        .where('state', '=', 'active')
        .execute()
    })
  }

  counts(): Promise<OutboxCounts> {
    return this.#guard(async () => {
      const rows = await this.#db
        .selectFrom('notice_deliveries')
        .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
        .groupBy('state')
        .execute()
      const found = new Map(rows.map(({ state, count }) => [state, Number(count)]))
      return Object.fromEntries(DELIVERY_STATES.map((state) => [state, found.get(state) ?? 0])) as OutboxCounts
    })
  }

  oldestDue(): Promise<number | null> {
    return this.#guard(async () => {
      const row = await this.#db
        .selectFrom('notice_deliveries')
        .select((eb) => eb.fn.min('due_at').as('due'))
        .where('state', '=', 'waiting')
        .executeTakeFirst()
      return row?.due ?? null
    })
  }

  list(state: DeliveryState, { limit, accountId }: { readonly limit: number; readonly accountId?: string }) {
    return this.#guard(async () => {
      const rows = await this.#db
        .selectFrom('notice_deliveries')
        .selectAll()
        .where('state', '=', state)
        .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId as string))
        .orderBy(state === 'waiting' || state === 'sending' ? 'due_at' : 'settled_at', 'desc')
        .limit(limit)
        .execute()
      return rows.map(deliveryOf)
    })
  }

  retryFailed(id: string | null, now: number): Promise<number> {
    return this.#guard(async () => {
      const { numUpdatedRows } = await this.#db
        .updateTable('notice_deliveries')
        .set({ state: 'waiting', due_at: now, attempts: 0, first_tried_at: null, settled_at: null })
        .where('state', '=', 'failed')
        .$if(id !== null, (query) => query.where('id', '=', id as string))
        .executeTakeFirst()
      return Number(numUpdatedRows)
    })
  }

  prune(before: number, limit: number): Promise<number> {
    return this.#guard(async () => {
      const { numDeletedRows } = await this.#db
        .deleteFrom('notice_deliveries')
        .where('id', 'in', (eb) =>
          eb
            .selectFrom('notice_deliveries')
            .select('id')
            .where('state', 'in', ['delivered', 'dropped', 'failed'])
            .where('settled_at', '<', before)
            .limit(limit),
        )
        .executeTakeFirst()
      return Number(numDeletedRows)
    })
  }

  async #due({ now, limit, busy }: Pick<LeaseRequest, 'now' | 'limit' | 'busy'>): Promise<NoticeDeliveryRow[]> {
    const chosen = new Map<string, NoticeDeliveryRow>()
    for (const state of ['sending', 'waiting']) {
      while (chosen.size < limit) {
        const taken = [...busy, ...chosen.keys()]
        const rows = await this.#db
          .selectFrom('notice_deliveries')
          .selectAll()
          .where('state', '=', state)
          .where('due_at', '<=', now)
          .$if(taken.length > 0, (query) => query.where('target_id', 'not in', taken))
          .orderBy('due_at')
          .limit(LOOKED_AT)
          .execute()
        for (const row of rows) if (chosen.size < limit && !chosen.has(row.target_id)) chosen.set(row.target_id, row)
        if (rows.length < LOOKED_AT) break
      }
    }
    return [...chosen.values()]
  }

  /** What decides whether they still hold, in a few queries for all of them. */
  async #withFacts(rows: readonly NoticeDeliveryRow[]): Promise<LeasedDelivery[]> {
    const of = (column: 'account_id' | 'auction_id' | 'target_id') => [...new Set(rows.map((row) => row[column]))]
    const db = this.#db
    const [auctionIds, accountIds, targetIds] = [of('auction_id'), of('account_id'), of('target_id')]
    const auctions = await db
      .selectFrom('consumer_cursors as cursor')
      .innerJoin('consumer_generations as generation', (join) =>
        join
          .onRef('generation.generation', '=', 'cursor.generation')
          .onRef('generation.consumer', '=', 'cursor.consumer'),
      )
      .select(['cursor.auction_id', 'cursor.state'])
      .where('cursor.consumer', '=', this.#options.consumer)
      .where('generation.state', '=', 'live')
      .where('cursor.auction_id', 'in', auctionIds)
      .execute()
    const targets = await db
      .selectFrom('notice_targets')
      .select(['id', 'target'])
      .where('id', 'in', targetIds)
      .where('state', '=', 'active')
      .execute()
    const settings = await db.selectFrom('notice_settings').selectAll().where('account_id', 'in', accountIds).execute()
    const views = await db
      .selectFrom('notice_views')
      .select(['account_id', 'auction_id', (eb) => eb.fn.max('until').as('until')])
      .where('account_id', 'in', accountIds)
      .where('auction_id', 'in', auctionIds)
      .groupBy(['account_id', 'auction_id'])
      .execute()
    const moved = await db
      .selectFrom('notice_deliveries')
      .select(['target_id', 'auction_id', (eb) => eb.fn.max('settled_at').as('at')])
      .where('target_id', 'in', targetIds)
      .where('auction_id', 'in', auctionIds)
      .where('state', '=', 'delivered')
      .where('kind', 'in', ['outbid', 'extended'])
      .groupBy(['target_id', 'auction_id'])
      .execute()
    return rows.map((row) => {
      const auction = auctions.find((one) => one.auction_id === row.auction_id)
      const target = targets.find(({ id }) => id === row.target_id)
      const kept = settings.find(({ account_id }) => account_id === row.account_id)
      const view = views.find((one) => one.account_id === row.account_id && one.auction_id === row.auction_id)
      const last = moved.find((one) => one.target_id === row.target_id && one.auction_id === row.auction_id)
      const wishes = kept === undefined ? this.#options.defaults : settingsOf(kept)
      return {
        ...deliveryOf(row),
        auction: auction === undefined ? null : (JSON.parse(auction.state) as OpenedAuction),
        target: target === undefined ? null : (JSON.parse(target.target) as NoticeTarget),
        settings: wishes,
        listener: {
          off: new Set(wishes.off),
          quiet: wishes.quiet,
          timeZone: wishes.timeZone,
          inViewUntil: view?.until ?? null,
          lastMovedAt: last?.at ?? null,
        },
      }
    })
  }

  #end({ id, attempts }: Pick<OutboxDelivery, 'id' | 'attempts'>, change: Partial<NoticeDeliveryRow>): Promise<void> {
    return this.#guard(async () => {
      await this.#db
        .updateTable('notice_deliveries')
        .set(change)
        .where('id', '=', id)
        .where('state', '=', 'sending')
        .where('attempts', '=', attempts)
        .execute()
    })
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw consumerStoreError(error, this.#options.place) ?? error
    }
  }
}

function deliveryOf(row: NoticeDeliveryRow): OutboxDelivery {
  return {
    id: row.id,
    state: row.state as DeliveryState,
    accountId: row.account_id,
    targetId: row.target_id,
    channel: row.channel as NoticeTarget['channel'],
    partyId: row.party_id,
    auctionId: row.auction_id,
    seq: row.seq,
    kind: row.kind as NoticeKind,
    at: row.at,
    dueAt: row.due_at,
    attempts: row.attempts,
    firstTriedAt: row.first_tried_at,
    settledAt: row.settled_at,
    why: row.why,
    search: row.search,
  }
}

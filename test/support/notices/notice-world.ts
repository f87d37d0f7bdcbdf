import { type Dialect, Kysely } from 'kysely'
import { SqlConsumerStore } from '../../../src/adapters/sql/sql-consumer-store.js'
import { SqlNoticeOutbox } from '../../../src/adapters/sql/sql-notice-outbox.js'
import { sqlNoticeRows } from '../../../src/adapters/sql/sql-notice-rows.js'
import { SqlNoticeSettings } from '../../../src/adapters/sql/sql-notice-settings.js'
import type { SqlTables } from '../../../src/adapters/sql/sql-tables.js'
import { LogReader } from '../../../src/application/consumers/log-reader.js'
import { type NoticeChange, noticeProjection } from '../../../src/application/notices/notice-projection.js'
import { NoticeSender } from '../../../src/application/notices/notice-sender.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { DeliveryResult, NoticeChannel, NoticeDelivery } from '../../../src/ports/notices/notice-channel.js'
import type { NoticeSettings } from '../../../src/ports/notices/notice-settings.js'
import type { Recipients } from '../../../src/ports/notices/recipients.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { TRUSTING } from '../consumers/consumer-house.js'
import { KillingDialect } from '../consumers/killing-dialect.js'
import { MemoryLogs } from '../consumers/memory-logs.js'
import type { ManualTime } from '../manual-time.js'
import { silentLogger } from '../silent-logger.js'

export const DEFAULTS: NoticeSettings = { language: 'en', timeZone: 'UTC', quiet: null, off: [] }
/** In tests each party is an account of the same id. */
export const EVERYBODY: Recipients = {
  accountsOf: async (_, partyIds) => new Map(partyIds.map((id) => [id, id])),
}

export interface Received extends NoticeDelivery {
  readonly sentAt: number
}

/** A notifier over a database of its own, in time that moves by hand; its process can be killed at any step. */
export class NoticeWorld {
  readonly logs = new MemoryLogs()
  readonly dialect: KillingDialect
  readonly db: Kysely<SqlTables>
  readonly outbox: SqlNoticeOutbox
  readonly settings: SqlNoticeSettings
  readonly received: Received[] = []
  /** What the next attempts come to. */
  answer: (delivery: NoticeDelivery) => DeliveryResult = () => ({ result: 'delivered' })
  readonly #store: SqlConsumerStore<NoticeChange>
  readonly #random = new SeededRandom('notices')
  #reader: LogReader<NoticeChange> | null = null
  #grown = new Set<string>()

  constructor(
    dialect: Dialect,
    readonly time: ManualTime,
  ) {
    this.dialect = new KillingDialect(dialect)
    this.db = new Kysely({ dialect: this.dialect })
    const rows = sqlNoticeRows({ clock: time, recipients: EVERYBODY })
    const place = { consumer: noticeProjection.name, place: 'a test' }
    this.#store = new SqlConsumerStore({ db: this.db, rows }, place)
    this.outbox = new SqlNoticeOutbox({ db: this.db }, { ...place, defaults: DEFAULTS })
    this.settings = new SqlNoticeSettings({ db: this.db }, { place: 'a test', defaults: DEFAULTS })
  }

  open(): Promise<void> {
    return this.#store.open()
  }

  /** Somebody who hears of everything, on so many webhooks. */
  async join(accountId: string, targets = 1, settings: Partial<NoticeSettings> = {}): Promise<void> {
    await this.settings.saveSettings(accountId, { ...DEFAULTS, ...settings })
    for (let i = 0; i < targets; i++)
      await this.settings.saveTarget(
        {
          id: `ntt_${accountId}_${i}`,
          accountId,
          target: { channel: 'webhook', url: `https://${accountId}.example/${i}`, secrets: ['whsec_a'] },
          state: 'active',
          why: null,
          createdAt: this.time.now(),
        },
        null,
      )
  }

  add(...commits: readonly Commit[]): void {
    this.logs.add(...commits)
    for (const { auctionId } of commits) this.#grown.add(auctionId)
  }

  /** Reads what has happened, and sends what is due. */
  async run(): Promise<void> {
    if (this.#grown.size > 0) {
      this.#reader ??= await this.#claim()
      await this.#reader.read([...this.#grown], new AbortController().signal)
      this.#grown.clear()
    }
    await this.sender().sendDue()
    if (this.dialect.isDead) throw new Error('killed while sending')
  }

  /** The process is gone, and another one starts. */
  restart(steps?: number): void {
    this.#reader = null
    this.#grown = new Set(this.logs.logs.keys())
    this.dialect.revive(steps)
  }

  sender(): NoticeSender {
    const { outbox, time, received } = this
    const channel: NoticeChannel = {
      kind: 'webhook',
      send: async (delivery) => {
        const result = this.answer(delivery)
        if (result.result === 'delivered') received.push({ ...delivery, sentAt: time.now() })
        return result
      },
      stop: async () => {},
    }
    const links = () => ({ auction: null, preferences: null, unsubscribe: null })
    const { clock, timers, random } = { clock: time, timers: time, random: this.#random }
    const deps = { outbox, channels: [channel], links, isCurrent: () => true, clock, timers, random }
    return new NoticeSender({ ...deps, logger: silentLogger })
  }

  async dispose(): Promise<void> {
    this.dialect.revive()
    await this.db.destroy()
  }

  async #claim(): Promise<LogReader<NoticeChange>> {
    const store = this.#store
    let [generation] = await store.generations()
    if (generation === undefined) {
      await store.begin(noticeProjection.version)
      generation = (await store.generations())[0]
    }
    if (generation === undefined) throw new Error('no generation')
    const claim = await store.claim(generation, 'one')
    if (claim === null) throw new Error('not claimed')
    const deps = { logs: this.logs, store, projection: noticeProjection, verifier: TRUSTING }
    return new LogReader(deps, { claim, stepEvents: 1_000, onEvents: () => {}, onMisfit: () => {} })
  }
}

import type { Kysely } from 'kysely'
import type { NoticeKind, NoticeLanguage } from '../../domain/notices/notice-kind.js'
import { keyWordOf } from '../../domain/notices/saved-search.js'
import type { NoticeTarget } from '../../ports/notices/notice-channel.js'
import type {
  KeptTarget,
  NoticeSettings,
  NoticeSettingsStore,
  SavedSearch,
  TargetState,
} from '../../ports/notices/notice-settings.js'
import { consumerStoreError } from './sql-errors.js'
import { inParts } from './sql-rows.js'
import type { NoticeSettingsRow, NoticeTargetRow, SqlTables } from './sql-tables.js'

export interface SqlNoticeSettingsOptions {
  readonly place: string
  readonly defaults: NoticeSettings
}

export class SqlNoticeSettings implements NoticeSettingsStore {
  readonly #db: Kysely<SqlTables>
  readonly #options: SqlNoticeSettingsOptions

  constructor({ db }: { readonly db: Kysely<SqlTables> }, options: SqlNoticeSettingsOptions) {
    this.#db = db
    this.#options = options
  }

  settings(accountId: string): Promise<NoticeSettings> {
    return this.#guard(async () => {
      const row = await this.#db
        .selectFrom('notice_settings')
        .selectAll()
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      return row === undefined ? this.#options.defaults : settingsOf(row)
    })
  }

  saveSettings(accountId: string, { language, timeZone, quiet, off }: NoticeSettings): Promise<void> {
    return this.#guard(async () => {
      const row = {
        language,
        time_zone: timeZone,
        quiet_from: quiet?.from ?? null,
        quiet_to: quiet?.to ?? null,
        off: off.join(','),
      }
      await this.#db
        .insertInto('notice_settings')
        .values({ account_id: accountId, ...row })
        .onConflict((conflict) => conflict.column('account_id').doUpdateSet(row))
        .execute()
    })
  }

  targets(accountId: string): Promise<KeptTarget[]> {
    return this.#guard(async () => {
      const rows = await this.#db
        .selectFrom('notice_targets')
        .selectAll()
        .where('account_id', '=', accountId)
        .orderBy('created_at')
        .orderBy('id')
        .execute()
      return rows.map(targetOf)
    })
  }

  findTarget(id: string): Promise<KeptTarget | null> {
    return this.#guard(async () => {
      const row = await this.#db.selectFrom('notice_targets').selectAll().where('id', '=', id).executeTakeFirst()
      return row === undefined ? null : targetOf(row)
    })
  }

  saveTarget({ id, accountId, target, state, why, createdAt }: KeptTarget, confirmHash: string | null): Promise<void> {
    return this.#guard(async () => {
      const row = { channel: target.channel, target: JSON.stringify(target), state, why, confirm_hash: confirmHash }
      await this.#db
        .insertInto('notice_targets')
        .values({ id, account_id: accountId, created_at: createdAt, ...row })
        .onConflict((conflict) => conflict.column('id').doUpdateSet(row))
        .execute()
    })
  }

  confirmTarget(accountId: string, id: string, confirmHash: string): Promise<boolean> {
    return this.#guard(async () => {
      const { numUpdatedRows } = await this.#db
        .updateTable('notice_targets')
        .set({ state: 'active', confirm_hash: null })
        .where('id', '=', id)
        .where('account_id', '=', accountId)
        .where('state', '=', 'unconfirmed')
        .where('confirm_hash', '=', confirmHash)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    })
  }

  removeTarget(accountId: string, id: string): Promise<boolean> {
    return this.#remove('notice_targets', accountId, id)
  }

  searches(accountId: string): Promise<SavedSearch[]> {
    return this.#guard(async () => {
      const rows = await this.#db
        .selectFrom('notice_searches')
        .select(['id', 'words'])
        .where('account_id', '=', accountId)
        .orderBy('id')
        .execute()
      return rows.map(({ id, words }) => ({ id, accountId, words }))
    })
  }

  addSearch({ id, accountId, words }: SavedSearch): Promise<void> {
    return this.#guard(async () => {
      const row = { id, account_id: accountId, words, key_word: keyWordOf(words) ?? '' }
      await this.#db.insertInto('notice_searches').values(row).execute()
    })
  }

  removeSearch(accountId: string, id: string): Promise<boolean> {
    return this.#remove('notice_searches', accountId, id)
  }

  noteViews(gateway: string, views: Parameters<NoticeSettingsStore['noteViews']>[1], until: number): Promise<void> {
    return this.#guard(async () => {
      for (const some of inParts(views))
        await this.#db
          .insertInto('notice_views')
          .values(some.map((view) => ({ account_id: view.accountId, auction_id: view.auctionId, gateway, until })))
          .onConflict((conflict) => conflict.columns(['account_id', 'auction_id', 'gateway']).doUpdateSet({ until }))
          .execute()
    })
  }

  pruneViews(before: number): Promise<void> {
    return this.#guard(async () => {
      await this.#db.deleteFrom('notice_views').where('until', '<', before).execute()
    })
  }

  #remove(table: 'notice_targets' | 'notice_searches', accountId: string, id: string): Promise<boolean> {
    return this.#guard(async () => {
      const { numDeletedRows } = await this.#db
        .deleteFrom(table)
        .where('id', '=', id)
        .where('account_id', '=', accountId)
        .executeTakeFirst()
      return numDeletedRows > 0n
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

export function settingsOf({ language, time_zone, quiet_from, quiet_to, off }: NoticeSettingsRow): NoticeSettings {
  return {
    language: language as NoticeLanguage,
    timeZone: time_zone,
    quiet: quiet_from === null || quiet_to === null ? null : { from: quiet_from, to: quiet_to },
    off: off.split(',').filter((kind) => kind !== '') as NoticeKind[],
  }
}

function targetOf({ id, account_id, target, state, why, created_at }: NoticeTargetRow): KeptTarget {
  return {
    id,
    accountId: account_id,
    target: JSON.parse(target) as NoticeTarget,
    state: state as TargetState,
    why,
    createdAt: created_at,
  }
}

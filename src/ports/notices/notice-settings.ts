import type { NoticeKind, NoticeLanguage } from '../../domain/notices/notice-kind.js'
import type { QuietHours } from '../../domain/notices/quiet-hours.js'
import type { NoticeTarget } from './notice-channel.js'

export interface NoticeSettings {
  readonly language: NoticeLanguage
  /** IANA name. */
  readonly timeZone: string
  readonly quiet: QuietHours | null
  readonly off: readonly NoticeKind[]
}

/** `unconfirmed`: its owner has not shown that it is theirs. `gone`: it has said that it takes no more. */
export type TargetState = 'unconfirmed' | 'active' | 'gone'

export interface KeptTarget {
  /** `ntt_...` */
  readonly id: string
  readonly accountId: string
  readonly target: NoticeTarget
  readonly state: TargetState
  /** Why it is gone. */
  readonly why: string | null
  readonly createdAt: number
}

export interface SavedSearch {
  /** `nts_...` */
  readonly id: string
  readonly accountId: string
  /** All of them stand in the title. */
  readonly words: string
}

/** How people want to hear of things. Many processes may use it at once: each read sees what was last written. */
export interface NoticeSettingsStore {
  /** What was never set is as in `DEFAULT_NOTICE_SETTINGS`. */
  settings(accountId: string): Promise<NoticeSettings>
  saveSettings(accountId: string, settings: NoticeSettings): Promise<void>
  /** Oldest first. */
  targets(accountId: string): Promise<KeptTarget[]>
  findTarget(id: string): Promise<KeptTarget | null>
  /** Replaces what has its id. `confirmHash`: of the code that makes it active; null: none is needed. */
  saveTarget(target: KeptTarget, confirmHash: string | null): Promise<void>
  /** Makes an unconfirmed target active if this is the hash of its code; resolves with whether it was. */
  confirmTarget(accountId: string, id: string, confirmHash: string): Promise<boolean>
  /** Resolves with whether there was one. What waits for it is dropped when it is due. */
  removeTarget(accountId: string, id: string): Promise<boolean>
  searches(accountId: string): Promise<SavedSearch[]>
  addSearch(search: SavedSearch): Promise<void>
  removeSearch(accountId: string, id: string): Promise<boolean>
  /** These people have these lots open and in view at this gateway until then. */
  noteViews(
    gateway: string,
    views: readonly { readonly accountId: string; readonly auctionId: string }[],
    until: number,
  ): Promise<void>
  /** Forgets views that ended before then. */
  pruneViews(before: number): Promise<void>
}

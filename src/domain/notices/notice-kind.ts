/** What a person may hear of. `new-auction`: one that fits a search that they have saved. */
export const NOTICE_KINDS = [
  'outbid',
  'ending-soon',
  'extended',
  'won',
  'lost',
  'sold',
  'not-sold',
  'new-auction',
] as const

export type NoticeKind = (typeof NOTICE_KINDS)[number]

/** The languages that notices are written in. */
export const NOTICE_LANGUAGES = ['en', 'de', 'ar'] as const

export type NoticeLanguage = (typeof NOTICE_LANGUAGES)[number]

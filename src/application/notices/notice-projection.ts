import { type NoticeFact, noticeFactOf } from '../../domain/notices/notice-fact.js'
import type { ConsumedEvent, Projection } from '../../ports/store/consumer-store.js'

export interface NoticeChange {
  readonly auctionId: string
  readonly seq: number
  readonly fact: NoticeFact
}

/**
 * Facts alone: for whom they make notices is decided by the rows of those who take part, in the same transaction.
 * Raising the version makes no notice twice: ids of deliveries are made of events.
 */
export const noticeProjection: Projection<NoticeChange> = {
  name: 'notifier',
  version: 1,
  changesOf: ({ auctionId, seq, event, before, after }: ConsumedEvent) => {
    const fact = noticeFactOf(event, before, after)
    return fact === null ? [] : [{ auctionId, seq, fact }]
  },
}

import { minimumBid, type OpenedAuction } from '../../domain/auction.js'
import { formatAmount } from '../../domain/money.js'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'
import type { Notice, NoticeLinks } from '../../ports/notices/notice-channel.js'
import type { LeasedDelivery } from '../../ports/notices/notice-outbox.js'

/** Links of one notice. */
export type NoticeLinker = (of: { auctionId: string; targetId: string; kind: NoticeKind }) => NoticeLinks

/** The notice as it reads when it is sent: with the price and the end as they are then. */
export function noticeOf(delivery: LeasedDelivery & { auction: OpenedAuction }, links: NoticeLinker): Notice {
  const { auction, kind, auctionId, at, settings, search, targetId } = delivery
  const { title, currency } = auction.terms
  const sold = auction.status === 'closed' && auction.result.sold ? auction.result.price : null
  const price = auction.status === 'open' || auction.status === 'scheduled' ? auction.price : sold
  const minimum = auction.status === 'open' ? minimumBid(auction) : null
  return {
    kind,
    auctionId,
    title,
    at,
    price: price === null ? null : formatAmount(price, currency),
    minimum: minimum === null ? null : formatAmount(minimum, currency),
    currency: currency.code,
    closesAt: auction.closesAt,
    timeZone: settings.timeZone,
    language: settings.language,
    search,
    links: links({ auctionId, targetId, kind }),
  }
}

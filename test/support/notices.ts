import type { Notice, NoticeDelivery, NoticeTarget } from '../../src/ports/notices/notice-channel.js'

/** What a seller can try to slip into whatever carries a title. */
export const WICKED_TITLE =
  'Chair\r\nBcc: everybody@example.org\r\n\r\n<script>alert(1)</script>\u001b[2J\u2028\u202e"&'

export function testNotice(more: Partial<Notice> = {}): Notice {
  return {
    kind: 'outbid',
    auctionId: 'auc_1',
    title: 'Armchair',
    at: Date.UTC(2026, 10, 28, 16, 0),
    price: '1234.50',
    minimum: '1235.00',
    currency: 'EUR',
    closesAt: Date.UTC(2026, 10, 28, 17, 2),
    timeZone: 'Europe/Berlin',
    language: 'en',
    search: null,
    links: {
      auction: 'https://auctions.example/lot/auc_1',
      preferences: 'https://auctions.example/account',
      unsubscribe: 'https://auctions.example/api/v1/notices/unsubscribe?token=t1',
    },
    ...more,
  }
}

export function testDelivery<T extends NoticeTarget>(target: T, notice: Partial<Notice> = {}): NoticeDelivery<T> {
  return { id: 'ntc_1', attempt: 1, target, notice: testNotice(notice) }
}

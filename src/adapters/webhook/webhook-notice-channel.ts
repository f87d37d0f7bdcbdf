import { timeText } from '../../application/log/time-text.js'
import type {
  DeliveryResult,
  Notice,
  NoticeChannel,
  NoticeDelivery,
  NoticeTarget,
} from '../../ports/notices/notice-channel.js'
import type { WebhookSender } from './webhook-sender.js'

type WebhookTarget = Extract<NoticeTarget, { channel: 'webhook' }>

/** Notices for programs: data, in no language. */
export class WebhookNoticeChannel implements NoticeChannel<WebhookTarget> {
  readonly kind = 'webhook'
  readonly #sender: Pick<WebhookSender, 'send'>

  constructor({ sender }: { sender: Pick<WebhookSender, 'send'> }) {
    this.#sender = sender
  }

  async send({ id, target, notice }: NoticeDelivery<WebhookTarget>, signal: AbortSignal): Promise<DeliveryResult> {
    const { url, secrets } = target
    return this.#sender.send({ id, url, secrets, contentType: 'application/json', body: bodyOf(notice) }, signal)
  }

  async stop(): Promise<void> {}
}

/** Nothing in it depends on the attempt. */
function bodyOf(notice: Notice): string {
  return JSON.stringify({
    type: `notice.${notice.kind}`,
    timestamp: timeText(notice.at),
    data: {
      auction_id: notice.auctionId,
      title: notice.title,
      price: notice.price,
      minimum: notice.minimum,
      currency: notice.currency,
      closes_at: notice.closesAt === null ? null : timeText(notice.closesAt),
      search: notice.search,
      url: notice.links.auction,
    },
  })
}

/** Room `web-push`: notices by the push services of browsers (RFC 8030, encrypted by RFC 8291). */
import { createHash } from 'node:crypto'
import webPush from 'web-push'
import { noticeWords } from '../../application/notices/notice-words.js'
import type { NoticeKind } from '../../domain/notices/notice-kind.js'
import type {
  DeliveryResult,
  Notice,
  NoticeChannel,
  NoticeDelivery,
  NoticeTarget,
} from '../../ports/notices/notice-channel.js'
import type { Clock } from '../../ports/system/clock.js'
import type { OutboundAnswer, OutboundPost } from '../system/outbound-post.js'
import type { VapidKeys } from './vapid-keys.js'

type PushTarget = Extract<NoticeTarget, { channel: 'web-push' }>

export interface WebPushNoticeChannelDeps {
  /** Endpoints come from browsers, so they are strangers' addresses like those of webhooks. */
  readonly post: Pick<OutboundPost, 'send'>
  readonly clock: Pick<Clock, 'now'>
}

export interface WebPushNoticeChannelOptions {
  readonly keys: VapidKeys
  /** "mailto:..." or "https://...": where a push service reaches whoever runs this. */
  readonly contact: string
}

/** What wakes a sleeping phone, and what can wait until it is looked at. */
const URGENCY: Readonly<Record<NoticeKind, 'high' | 'normal' | 'low'>> = {
  outbid: 'high',
  'ending-soon': 'high',
  extended: 'high',
  won: 'normal',
  sold: 'normal',
  lost: 'low',
  'not-sold': 'low',
  'new-auction': 'low',
}
const ENDED: ReadonlySet<NoticeKind> = new Set(['won', 'lost', 'sold', 'not-sold'])
/** How long news of an ended auction is kept for a browser that is away. */
const ENDED_TTL_S = 3 * 86_400
const MAX_TTL_S = 28 * 86_400
const TOPIC_LENGTH = 32

export class WebPushNoticeChannel implements NoticeChannel<PushTarget> {
  readonly kind = 'web-push'
  readonly #deps: WebPushNoticeChannelDeps
  readonly #options: WebPushNoticeChannelOptions

  constructor(deps: WebPushNoticeChannelDeps, options: WebPushNoticeChannelOptions) {
    this.#deps = deps
    this.#options = options
  }

  async send({ target, notice }: NoticeDelivery<PushTarget>, signal: AbortSignal): Promise<DeliveryResult> {
    const request = this.#request(target, notice)
    if (request === null) return { result: 'gone', why: 'the keys of this subscription are none' }
    return resultOf(await this.#deps.post.send(request, signal))
  }

  async stop(): Promise<void> {}

  #request({ endpoint, p256dh, auth }: PushTarget, notice: Notice) {
    const { keys, contact } = this.#options
    try {
      const { headers, body } = webPush.generateRequestDetails(
        { endpoint, keys: { p256dh, auth } },
        payloadOf(notice),
        {
          vapidDetails: { subject: contact, ...keys },
          TTL: this.#ttlOf(notice),
          urgency: URGENCY[notice.kind],
          topic: topicOf(notice.auctionId),
        },
      )
      return { url: endpoint, headers: headers as Record<string, string | number>, body: body as Buffer }
    } catch {
      return null
    }
  }

  /** In seconds. A push service drops what it could not hand over until then: nobody is called to an ended auction. */
  #ttlOf({ kind, closesAt }: Notice): number {
    if (ENDED.has(kind) || closesAt === null) return ENDED_TTL_S
    return Math.min(Math.max(Math.floor((closesAt - this.#deps.clock.now()) / 1_000), 0), MAX_TTL_S)
  }
}

/** Of those that wait for a browser, a newer one takes the place of an older one with the same topic. */
function topicOf(auctionId: string): string {
  return createHash('sha256').update(auctionId).digest('base64url').slice(0, TOPIC_LENGTH)
}

/** What the page's service worker reads. */
function payloadOf(notice: Notice): string {
  const { title, headline, details, language, direction } = noticeWords(notice)
  const body = [headline, ...details].join('\n')
  return JSON.stringify({ auction_id: notice.auctionId, kind: notice.kind, title, body, language, direction })
}

/** 404 and 410: the subscription has ended (RFC 8030, 7.3). */
function resultOf(answer: OutboundAnswer): DeliveryResult {
  if (!answer.ok) return { result: answer.mayChange ? 'retry' : 'refused', why: answer.why }
  const { status, retryAfterMs, text } = answer
  if (status >= 200 && status < 300) return { result: 'delivered' }
  const why = `answered ${status}${text === '' ? '' : `: ${text}`}`
  if (status === 404 || status === 410) return { result: 'gone', why }
  // Log-ins are 401 and 403: the keys or the clock of this house may be mended.
  const isOurs = [401, 403, 408, 425, 429].includes(status) || status >= 500
  if (!isOurs) return { result: 'refused', why }
  return { result: 'retry', why, ...(retryAfterMs === null ? {} : { afterMs: retryAfterMs }) }
}

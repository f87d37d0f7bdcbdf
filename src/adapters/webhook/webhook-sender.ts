import type { DeliveryResult } from '../../ports/notices/notice-channel.js'
import type { Clock } from '../../ports/system/clock.js'
import type { OutboundPost } from '../system/outbound-post.js'
import { isWebhookSecret, webhookHeaders } from './standard-webhook.js'

export interface WebhookMessage {
  /** The same in each attempt: receivers drop what they have by it. */
  readonly id: string
  readonly url: string
  /** "whsec_...", newest first; at least one. */
  readonly secrets: readonly string[]
  readonly contentType: string
  /** The same in each attempt. */
  readonly body: string
}

export interface WebhookSenderDeps {
  readonly post: Pick<OutboundPost, 'send'>
  readonly clock: Pick<Clock, 'now'>
}

export class WebhookSender {
  readonly #deps: WebhookSenderDeps

  constructor(deps: WebhookSenderDeps) {
    this.#deps = deps
  }

  /**
   * Makes one attempt; never rejects. 2xx: delivered. 410: the target is gone. 3xx and 413 are refused, since the next
   * attempt would get the same; everything else may be different later.
   */
  async send({ id, url, secrets, contentType, body }: WebhookMessage, signal: AbortSignal): Promise<DeliveryResult> {
    const { post, clock } = this.#deps
    if (secrets.length === 0 || !secrets.every(isWebhookSecret))
      return { result: 'refused', why: 'a secret has to be "whsec_" and 24 to 64 bytes in base64' }
    const headers = {
      ...webhookHeaders({ id, atMs: clock.now(), body }, secrets),
      'content-type': contentType,
      'user-agent': 'vendue-webhooks',
    }
    const answer = await post.send({ url, headers, body }, signal)
    if (!answer.ok) return { result: answer.mayChange ? 'retry' : 'refused', why: answer.why }
    const { status, retryAfterMs } = answer
    if (status >= 200 && status < 300) return { result: 'delivered' }
    const why = `answered ${status}`
    if (status === 410) return { result: 'gone', why }
    if (status === 413) return { result: 'refused', why }
    if (status >= 300 && status < 400) return { result: 'refused', why: `${why}: redirects are not followed` }
    return { result: 'retry', why, ...(retryAfterMs === null ? {} : { afterMs: retryAfterMs }) }
  }
}

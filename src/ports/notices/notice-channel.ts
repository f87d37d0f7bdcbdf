/** Room `notices`: how people and programs hear of what concerns them. */

import type { NoticeKind, NoticeLanguage } from '../../domain/notices/notice-kind.js'

/** What one person hears of. Titles are as their sellers wrote them: each channel makes them harmless for itself. */
export interface Notice {
  readonly kind: NoticeKind
  readonly auctionId: string
  readonly title: string
  /** When it happened, UTC milliseconds. */
  readonly at: number
  /** Exact decimal text, such as "105.00": the current price, or the hammer price. Null where there is none. */
  readonly price: string | null
  /** The least that would be a valid bid now, written as `price`. Null where no bid would do. */
  readonly minimum: string | null
  /** Of both amounts: an ISO 4217 code, or one that the terms name. */
  readonly currency: string
  /** The auction's end, UTC milliseconds. Null where it has none yet. */
  readonly closesAt: number | null
  /** IANA name of the zone that this person reads times in. */
  readonly timeZone: string
  readonly language: NoticeLanguage
  /** The words of the saved search; null unless the kind is `new-auction`. */
  readonly search: string | null
  readonly links: NoticeLinks
}

/** Absolute URLs; null where this house has no public address. */
export interface NoticeLinks {
  readonly auction: string | null
  readonly preferences: string | null
  /** Ends this kind of notice by a POST without a log-in (RFC 8058), so it has to carry a token of its own. */
  readonly unsubscribe: string | null
}

/** Where a delivery goes. */
export type NoticeTarget =
  | { readonly channel: 'mail'; readonly address: string }
  | { readonly channel: 'web-push'; readonly endpoint: string; readonly p256dh: string; readonly auth: string }
  /** `secrets` are `whsec_...`, newest first: each signs, so that a receiver can change to the newest at any time. */
  | { readonly channel: 'webhook'; readonly url: string; readonly secrets: readonly string[] }
  | { readonly channel: 'terminal' }

export interface NoticeDelivery<T extends NoticeTarget = NoticeTarget> {
  /** The same in each attempt, and no other delivery's, so that a receiver can drop what it has already. */
  readonly id: string
  /** From 1. */
  readonly attempt: number
  readonly target: T
  readonly notice: Notice
}

/** `why` is for operators: one line, with no secret in it. */
export type DeliveryResult =
  | { readonly result: 'delivered' }
  /** May go well later. No earlier than `afterMs` from now, where the receiver has asked for that. */
  | { readonly result: 'retry'; readonly why: string; readonly afterMs?: number }
  /** The target takes no more deliveries, and should get none. */
  | { readonly result: 'gone'; readonly why: string }
  /** The target does not take this delivery, and trying again would not change that. */
  | { readonly result: 'refused'; readonly why: string }

export interface NoticeChannel<T extends NoticeTarget = NoticeTarget> {
  readonly kind: T['channel']
  /**
   * Makes one attempt.
   * - Never rejects: what fails is a result.
   * - Ends within a bound of its own, and soon after `signal` is aborted, with `retry`.
   * - `delivered` means that the receiver has said so. If the answer was lost the result is `retry`, and the receiver
   *   may get the same id again.
   */
  send(delivery: NoticeDelivery<T>, signal: AbortSignal): Promise<DeliveryResult>
  /** Closes what is open. Idempotent. */
  stop(): Promise<void>
}

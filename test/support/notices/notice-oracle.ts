import type { AuctionEvent } from '../../../src/domain/events.js'
import type { NoticeKind } from '../../../src/domain/notices/notice-kind.js'
import { HOUR, MINUTE } from '../auction-scenario.js'
import type { NoticeHistory } from './notice-history.js'
import type { Received } from './notice-world.js'

const DAY = 24 * HOUR

/** What a simulated day says about one person, for every minute of it. */
export interface PersonDay {
  readonly id: string
  readonly off: readonly NoticeKind[]
  readonly search: string | null
  isQuiet(at: number): boolean
  /** Between 22:00 and 7:00 where they are. */
  isNight(at: number): boolean
  isViewing(auctionId: string, at: number): boolean
}

export interface SimulatedDay {
  readonly from: number
  readonly to: number
  /** Whether the notifier has run at that minute. */
  isUp(at: number): boolean
  /** A delivery may be late by this much: that of a lease whose process was killed. */
  readonly graceMs: number
}

/** Finds what was sent wrongly, and what is missing, by walking through the minutes; shares no rule with the notifier. */
export class NoticeOracle {
  readonly #history: NoticeHistory
  readonly #day: SimulatedDay

  constructor(history: NoticeHistory, day: SimulatedDay) {
    this.#history = history
    this.#day = day
  }

  faultsOf(person: PersonDay, sent: readonly Received[]): string[] {
    const faults: string[] = []
    for (const one of sent) {
      const wrong = this.#wrong(person, one, sent)
      if (wrong !== null) faults.push(`${wrong}: ${one.notice.kind} to ${person.id} at ${this.#minute(one.sentAt)}`)
    }
    for (const { kind, from, isTrue } of this.#owed(person)) {
      if (person.off.includes(kind)) continue
      const answers = kind === 'extended' ? ['extended', 'outbid'] : [kind, ...(kind === 'outbid' ? ['extended'] : [])]
      const said = sent.filter(({ notice }) => answers.includes(notice.kind))
      if (said.some(({ sentAt }) => sentAt >= from)) continue
      const missing = this.#chance(person, kind, from, isTrue, said)
      if (missing !== null)
        faults.push(
          `missing: ${kind} to ${person.id} of ${this.#minute(from)}, could be sent at ${this.#minute(missing)}`,
        )
    }
    return faults
  }

  /** Why it should not have been sent when it was; null: it was right. */
  #wrong(person: PersonDay, one: Received, sent: readonly Received[]): string | null {
    const { sentAt, notice } = one
    const { kind, at } = notice
    const then = this.#at(sentAt)
    const others = sent.filter(
      (other) => other !== one && other.sentAt <= sentAt && sent.indexOf(other) < sent.indexOf(one),
    )
    if (person.off.includes(kind)) return 'switched off'
    if (person.isQuiet(sentAt)) return 'in quiet hours'
    if (sentAt - at > HOUR && kind !== 'ending-soon' && person.isNight(sentAt)) return 'late, and at night'
    if (at > sentAt) return 'before it happened'
    for (let minute = kind === 'ending-soon' ? sentAt : at; minute <= sentAt; minute += MINUTE)
      if (person.isViewing(this.#history.auctionId, minute)) return 'in view'
    const isOver = then.over || (then.closesAt !== null && sentAt >= then.closesAt)
    switch (kind) {
      case 'outbid':
      case 'extended':
      case 'ending-soon': {
        if (isOver) return 'after the end'
        if (then.leader === person.id) return 'they lead'
        if (!then.bidders.has(person.id)) return 'they have not bid'
        if (kind === 'ending-soon') {
          if (then.closesAt === null || then.closesAt - sentAt > 10 * MINUTE) return 'too early'
          return others.some(({ notice: { kind: other } }) => other === kind) ? 'twice' : null
        }
        const last = Math.max(...others.filter((o) => /outbid|extended/.test(o.notice.kind)).map((o) => o.sentAt))
        if (kind === 'outbid' && sentAt - last < 10 * MINUTE) return 'too soon after another'
        const what = kind === 'outbid' ? 'lost' : 'extended'
        return this.#changes(person.id).some((c) => c.what === what && c.at > last && c.at <= sentAt) ? null : 'no news'
      }
      case 'won':
      case 'lost':
      case 'sold':
      case 'not-sold': {
        if (others.some((other) => other.notice.kind === kind)) return 'twice'
        return this.#results(person.id, sentAt).includes(kind) ? null : 'not so'
      }
      case 'new-auction':
        if (isOver) return 'after the end'
        if (others.some((other) => other.notice.kind === kind)) return 'twice'
        return this.#matches(person) ? null : 'no such search'
      default: {
        const unknown: never = kind
        throw new Error(`unknown kind ${unknown}`)
      }
    }
  }

  /** What they should hear of: since when, and while what holds. */
  *#owed(person: PersonDay): Generator<{ kind: NoticeKind; from: number; isTrue: (at: number) => boolean }> {
    const follows = (at: number) => {
      const { over, closesAt, leader } = this.#at(at)
      return !over && leader !== person.id && (closesAt === null || at < closesAt)
    }
    const changes = this.#changes(person.id)
    for (const { what, at } of changes) {
      const led = changes.find((change) => change.what === 'leads' && change.at > at)?.at ?? Number.POSITIVE_INFINITY
      if (what === 'lost') yield { kind: 'outbid', from: at, isTrue: (now) => now < led && follows(now) }
      if (what === 'extended') yield { kind: 'extended', from: at, isTrue: (now) => now < led && follows(now) }
    }
    const last = this.#history.events.at(-1)
    const [result] = last === undefined ? [] : this.#results(person.id, Number.POSITIVE_INFINITY)
    const closed = this.#history.events.find(({ type }) => type === 'AuctionClosed')
    if (closed !== undefined)
      for (const kind of this.#results(person.id, Number.POSITIVE_INFINITY))
        yield { kind, from: closed.at, isTrue: () => result !== undefined }
    const soon = this.#endingSoon(person.id)
    if (soon !== null) yield { kind: 'ending-soon', from: soon, isTrue: follows }
    const opened = this.#history.events[0]
    if (opened !== undefined && this.#matches(person))
      yield {
        kind: 'new-auction',
        from: opened.at,
        isTrue: (at) => {
          const { over, closesAt } = this.#at(at)
          return !over && (closesAt === null || at < closesAt)
        },
      }
  }

  /** When it could have been sent, with all the time that it may take; null: never. */
  #chance(
    person: PersonDay,
    kind: NoticeKind,
    from: number,
    isTrue: (at: number) => boolean,
    said: readonly Received[],
  ): number | null {
    const { auctionId } = this.#history
    const end = Math.min(this.#day.to, from + (kind === 'ending-soon' ? 10 * MINUTE : DAY))
    let since: number | null = null
    for (let at = Math.ceil(from / MINUTE) * MINUTE; at < end; at += MINUTE) {
      if (kind !== 'ending-soon' && person.isViewing(auctionId, at)) return null
      if (!isTrue(at)) {
        if (kind === 'ending-soon') return null
        since = null
        continue
      }
      const isNight = kind !== 'ending-soon' && at - from > HOUR && person.isNight(at)
      const isLimited = kind === 'outbid' && said.some(({ sentAt }) => sentAt <= at && at - sentAt < 11 * MINUTE)
      const isFree = this.#day.isUp(at) && !person.isQuiet(at) && !person.isViewing(auctionId, at)
      if (!isFree || isNight || isLimited) {
        // It is looked at once, when it is due: whoever has the lot in view then has seen how soon it ends.
        if (kind === 'ending-soon' && person.isViewing(auctionId, at)) return null
        since = null
      } else since ??= at
      if (since !== null && at - since >= this.#day.graceMs) return since
    }
    return null
  }

  #at(now: number) {
    let leader: string | null = null
    let closesAt: number | null = null
    let over = false
    const bidders = new Set<string>()
    for (const event of this.#history.events) {
      if (event.at > now) break
      if (event.type === 'AuctionOpened') closesAt = event.terms.closesAt
      if (event.type === 'AuctionExtended') closesAt = event.closesAt
      if (event.type === 'BidPlaced') bidders.add(event.bidder.id)
      if (event.type === 'BidPlaced' && event.leads) leader = event.bidder.id
      if (event.type === 'AuctionClosed') over = true
    }
    return { leader, closesAt, over, bidders }
  }

  /** When somebody came to lead, lost the lead, and when the end moved for the first time since they do not lead. */
  #changes(id: string): { what: 'leads' | 'lost' | 'extended'; at: number }[] {
    const changes: { what: 'leads' | 'lost' | 'extended'; at: number }[] = []
    let leads = false
    let behindSince: number | null = null
    let heard = true
    this.#history.events.forEach((event, i) => {
      if (event.type === 'BidPlaced') {
        const isOwn = event.bidder.id === id
        if (event.leads && isOwn && !leads) changes.push({ what: 'leads', at: event.at })
        if (event.leads && !isOwn && leads) changes.push({ what: 'lost', at: event.at })
        if ((event.leads && !isOwn && leads) || (isOwn && !event.leads)) {
          behindSince = i
          heard = false
        }
        if (event.leads) leads = isOwn
        if (leads) behindSince = null
      }
      if (event.type === 'AuctionExtended' && behindSince !== null && !heard && behindSince < i - 1) {
        changes.push({ what: 'extended', at: event.at })
        heard = true
      }
    })
    return changes
  }

  #results(id: string, now: number): NoticeKind[] {
    const closed = this.#history.events.find((event) => event.type === 'AuctionClosed')
    if (closed?.type !== 'AuctionClosed' || closed.at > now) return []
    const kinds: NoticeKind[] = []
    const opened = this.#history.events[0] as AuctionEvent & { type: 'AuctionOpened' }
    if (this.#at(closed.at).bidders.has(id))
      kinds.push(closed.result.sold && closed.result.winner.id === id ? 'won' : 'lost')
    if (opened.seller.id === id) kinds.push(closed.result.sold ? 'sold' : 'not-sold')
    return kinds
  }

  /** When the end came so close for the first time, for those who had bid more than ten minutes before the end then. */
  #endingSoon(id: string): number | null {
    const first = this.#history.events.find((event) => event.type === 'BidPlaced' && event.bidder.id === id)
    if (first === undefined) return null
    const { closesAt } = this.#at(first.at)
    if (closesAt === null || first.at >= closesAt - 10 * MINUTE) return null
    for (let at = closesAt - 10 * MINUTE; at < this.#day.to; at += MINUTE) {
      const end = this.#at(at).closesAt
      if (end !== null && at >= end - 10 * MINUTE) return at
    }
    return null
  }

  #matches({ search, id }: PersonDay): boolean {
    const opened = this.#history.events[0]
    if (opened?.type !== 'AuctionOpened' || search === null || opened.seller.id === id) return false
    return opened.terms.title.toLowerCase().split(/\s+/).includes(search)
  }

  #minute(at: number): string {
    return new Date(at).toISOString().slice(0, 19)
  }
}

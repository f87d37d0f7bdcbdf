import { minimumBid } from '../../../src/domain/auction.js'
import type { Commit } from '../../../src/domain/commit.js'
import type { AuctionEvent } from '../../../src/domain/events.js'
import type { Party } from '../../../src/domain/party.js'
import type { SeededRandom } from '../../sim/seeded-random.js'
import { HOUR, MINUTE } from '../auction-scenario.js'
import { auctionBuilder } from '../consumers/auction-commits.js'

/** An auction from its first event to its last, with each commit and when it happened. */
export interface NoticeHistory {
  readonly auctionId: string
  readonly commits: readonly { readonly at: number; readonly commit: Commit }[]
  readonly events: readonly AuctionEvent[]
}

const TITLES = ['Red armchair', 'Blue armchair & "sofa"', 'Old clock <b>', 'A lamp of brass']

/** Bids of random people at random times: plain ones and maxima, late ones, an end by time, by hand, or none at all. */
export function noticeHistory(
  random: SeededRandom,
  { tag, from, span, people }: { tag: string; from: number; span: number; people: readonly Party[] },
): NoticeHistory {
  const openedAt = from + random.int(0, Math.round(span / MINUTE)) * MINUTE
  const closesAt = random.chance(0.9) ? openedAt + random.int(15, 180) * MINUTE : null
  const softClose = { windowMs: 5 * MINUTE, extensionMs: 10 * MINUTE, hardStopAt: null }
  const builder = auctionBuilder({
    tag,
    openedAt,
    title: `${random.pick(TITLES)} ${tag}`,
    closesAt,
    softClose: closesAt !== null && random.chance(0.7) ? softClose : null,
    ...(random.chance(0.3) && { reserve: 7_500 + random.int(0, 10) * 100 }),
  })
  const commits: { at: number; commit: Commit }[] = []
  const events: AuctionEvent[] = []
  const keep = (append: { commit: Commit; events: readonly AuctionEvent[] }, at: number) => {
    commits.push({ at, commit: append.commit })
    events.push(...append.events)
  }
  keep(builder.open(), openedAt)
  const bidders = people.filter(() => random.chance(4 / people.length)).slice(0, 5)
  let at = openedAt
  for (let i = random.int(0, 9); i > 0 && bidders.length > 0; i--) {
    const { closesAt: end } = builder.state
    const rush = end !== null && random.chance(0.3)
    at = Math.max(at + 1, rush ? end - random.int(1, 12) * MINUTE : at + random.int(1, 25) * MINUTE)
    if (end !== null && at >= end) break
    const { leader, price } = builder.state
    const bidder = random.pick(bidders.filter(({ id }) => id !== leader?.id))
    if (bidder === undefined) break
    const least = minimumBid(builder.state) ?? 0
    const isMax = random.chance(0.4) || price === null
    const bid = isMax ? builder.max(bidder, least + random.int(0, 8) * 100) : builder.bid(bidder, least)
    keep(builder.commit({ ...bid, now: at }), at)
    if (random.chance(0.05) && builder.state.closesAt !== null) {
      at += MINUTE
      if (at < builder.state.closesAt)
        keep(builder.commit({ ...builder.extend(builder.state.closesAt + HOUR), now: at }), at)
    }
  }
  const end = builder.state.closesAt
  if (end !== null) {
    at = end + random.int(0, 2) * MINUTE
    keep(builder.commit({ type: 'EndAuction', now: at }), at)
  } else if (random.chance(0.8)) {
    at += random.int(1, 60) * MINUTE
    keep(builder.commit({ ...builder.close(), now: at }), at)
  }
  return { auctionId: builder.auctionId, commits, events }
}

import type { EventMessage, EventOf } from '../../../application/gateway/public-events.js'
import { describeResult } from './auction-text.js'
import { type Look, relative, showTime, showWhen } from './look.js'
import { oneLine, truncate } from './terminal-text.js'

/** `good`, `bad`: it concerns this node's user. */
export interface EventText {
  readonly text: string
  readonly tone: 'good' | 'bad' | 'plain'
}

export interface DescribeOptions {
  readonly look: Look
  readonly shortId: string
  /** This node's user; null if that is not known. */
  readonly selfId: string | null
  /** Who led before the event, as far as known. */
  readonly ledBy: string | null
}

const TITLE_COLUMNS = 36
const NAME_COLUMNS = 20

/** One line about something that happened, as this node's user sees it. */
export function describeEvent(event: EventMessage, options: DescribeOptions): EventText {
  const { look, selfId } = options
  const mark = event.disputed ? ' [DISPUTED]' : ''
  const lot = `${truncate(oneLine(event.title), TITLE_COLUMNS)} (${options.shortId})${mark}`
  const money = (amount: string) => `${amount} ${event.currency}`
  const who = ({ id, name }: { id: string; name: string }) =>
    id === selfId ? 'you' : truncate(oneLine(name), NAME_COLUMNS)
  const plain = (text: string): EventText => ({ text, tone: 'plain' })
  switch (event.type) {
    case 'auction_opened': {
      const at = (time: string | null, word: string) =>
        time === null ? '' : `, ${word} ${showWhen(Date.parse(time), look)}`
      const when = `${at(event.opens_at, 'opens')}${at(event.closes_at, 'ends')}`
      return plain(`${who(event.seller)} opened ${lot} at ${money(event.start_price)}${when}`)
    }
    case 'auction_started':
      return plain(`bidding on ${lot} has begun`)
    case 'bid_placed':
      return describeBid(event, options, { lot, money, who })
    case 'auction_extended': {
      const closesAt = Date.parse(event.closes_at)
      const left = relative(closesAt - look.now())
      return plain(`${lot} extended by ${EXTENDED_WHY[event.by]}: now ends ${showTime(closesAt, look)} (${left})`)
    }
    case 'auction_closed': {
      const { result } = event
      if (result.sold && result.winner.id === selfId)
        return { text: `you won ${lot} at ${money(result.price)}`, tone: 'good' }
      return plain(`${lot} is closed: ${describeResult(result, money)}`)
    }
    case 'maxima_revealed': {
      const count = event.maxima.length
      return plain(`${count} secret ${count === 1 ? 'maximum' : 'maxima'} on ${lot} revealed`)
    }
    case 'auction_cancelled':
      if (event.by === 'home')
        return {
          text: `the home of ${lot} has given it up, and nobody has won${event.reason === '' ? '' : `: ${oneLine(event.reason)}`}`,
          tone: options.ledBy !== null && options.ledBy === selfId ? 'bad' : 'plain',
        }
      return plain(`${lot} was cancelled${event.reason === '' ? '' : `: ${oneLine(event.reason)}`}`)
    case 'maxima_lost':
      return {
        text: `the home of ${lot} has lost the maxima that were left with it from event ${event.since_seq} on: the leader leads at the price, and whoever left a maximum has to leave it anew`,
        tone: options.ledBy !== null && options.ledBy === selfId ? 'bad' : 'plain',
      }
    case 'auction_moved': {
      const { node_id } = event.home
      const taken = event.why === 'handed-over' ? '' : `, which has taken it over: ${TAKEN_OVER_WHY[event.why]}`
      return plain(`${lot} has a new home: ${node_id === selfId ? 'this node' : node_id}${taken}`)
    }
    default: {
      const unknown: never = event
      throw new Error(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}

interface Words {
  readonly lot: string
  readonly money: (amount: string) => string
  readonly who: (party: { id: string; name: string }) => string
}

function describeBid(
  event: EventOf<'bid_placed'>,
  { selfId, ledBy }: DescribeOptions,
  { lot, money, who }: Words,
): EventText {
  const mine = event.bidder.id === selfId
  const lost = ledBy !== null && ledBy === selfId && !mine
  const price = money(event.price)
  if (event.kind === 'max-change')
    return {
      text: `${who(event.bidder)} changed the maximum on ${lot}, still leading at ${price}`,
      tone: 'plain',
    }
  if (event.kind === 'buy-now')
    return {
      text: `${who(event.bidder)} bought ${lot} for ${price}`,
      tone: mine ? 'good' : lost ? 'bad' : 'plain',
    }
  const offer = event.amount === null ? 'a secret maximum' : money(event.amount)
  const reserve = event.reserve_met ? '' : ', reserve not met'
  if (!event.leads) {
    const answer = `${who(event.bidder)} bid ${offer} on ${lot}: the leader's maximum answered at once, now ${price}${reserve}`
    return { text: answer, tone: mine ? 'bad' : 'plain' }
  }
  if (lost) return { text: `outbid on ${lot}: ${who(event.bidder)} leads at ${price}${reserve}`, tone: 'bad' }
  const verb = mine ? 'lead' : 'leads'
  const text = `${who(event.bidder)} bid ${offer} on ${lot} and ${verb} at ${price}${reserve}`
  return { text, tone: mine ? 'good' : 'plain' }
}

export function paintEvent({ text, tone }: EventText, { paint }: Look): string {
  if (tone === 'plain') return text
  return paint.bold(tone === 'good' ? paint.good(text) : paint.bad(text))
}

const TAKEN_OVER_WHY: Readonly<Record<Exclude<EventOf<'auction_moved'>['why'], 'handed-over'>, string>> = {
  'home-dead': 'the node before was not heard of any more',
  'home-left': 'the node before has left the cluster',
}

const EXTENDED_WHY: Readonly<Record<EventOf<'auction_extended'>['by'], string>> = {
  'soft-close': 'a late bid',
  seller: 'the seller',
  outage: 'the time in which nobody could bid',
  takeover: 'the takeover close to its end',
}

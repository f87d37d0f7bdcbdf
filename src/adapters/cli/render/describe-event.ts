import type { AuctionExtended } from '../../../domain/events.js'
import { formatMoney, type Minor } from '../../../domain/money.js'
import type { FeedItem } from '../../../ports/node/node-answers.js'
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
  /** This node's user; null where that is not known. */
  readonly selfId: string | null
  /** Who led before the event, as far as known. */
  readonly ledBy: string | null
}

const TITLE_COLUMNS = 36
const NAME_COLUMNS = 20

/** One line about something that happened, as this node's user sees it. */
export function describeEvent(item: FeedItem, options: DescribeOptions): EventText {
  const { event, currency } = item
  const { look, selfId, ledBy } = options
  const mark = item.disputed ? ' [DISPUTED]' : ''
  const lot = `${truncate(oneLine(item.title), TITLE_COLUMNS)} (${options.shortId})${mark}`
  const money = (minor: Minor) => formatMoney(minor, currency)
  const who = ({ id, name }: { id: string; name: string }) =>
    id === selfId ? 'you' : truncate(oneLine(name), NAME_COLUMNS)
  const plain = (text: string): EventText => ({ text, tone: 'plain' })
  switch (event.type) {
    case 'AuctionOpened': {
      const { terms } = event
      const opens = terms.opensAt === null ? '' : `, opens ${showWhen(terms.opensAt, look)}`
      const ends = terms.closesAt === null ? '' : `, ends ${showWhen(terms.closesAt, look)}`
      return plain(`${who(event.seller)} opened ${lot} at ${money(terms.startPrice)}${opens}${ends}`)
    }
    case 'AuctionStarted':
      return plain(`bidding on ${lot} has begun`)
    case 'BidPlaced':
      return bidPlaced(event, options, { lot, money, who })
    case 'MaxBidChanged':
      return plain(
        `${who(event.bidder)} changed the maximum on ${lot}, still leading at ${money(event.price)}`,
      )
    case 'LotBoughtNow':
      return {
        text: `${who(event.bidder)} bought ${lot} for ${money(event.price)}`,
        tone: toneOf(event.bidder.id),
      }
    case 'AuctionExtended': {
      const why = EXTENDED_WHY[event.by]
      const left = relative(event.closesAt - look.now())
      return plain(`${lot} extended by ${why}: now ends ${showTime(event.closesAt, look)} (${left})`)
    }
    case 'AuctionClosed': {
      const { result } = event
      if (result.sold && result.winner.id === selfId)
        return { text: `you won ${lot} at ${money(result.price)}`, tone: 'good' }
      return plain(`${lot} is closed: ${describeResult(result, money)}`)
    }
    case 'MaximaRevealed': {
      const count = event.maxima.length
      return plain(`${count} secret ${count === 1 ? 'maximum' : 'maxima'} on ${lot} revealed`)
    }
    case 'AuctionCancelled':
      return plain(`${lot} was cancelled${event.reason === '' ? '' : `: ${oneLine(event.reason)}`}`)
    case 'AuctionHandedOver':
      return plain(`${lot} has a new home: ${event.to.nodeId === selfId ? 'this node' : event.to.nodeId}`)
    default: {
      const unknown: never = event
      throw new Error(`unknown event ${JSON.stringify(unknown)}`)
    }
  }

  function toneOf(buyerId: string): EventText['tone'] {
    if (buyerId === selfId) return 'good'
    return ledBy !== null && ledBy === selfId ? 'bad' : 'plain'
  }
}

interface Words {
  readonly lot: string
  readonly money: (minor: Minor) => string
  readonly who: (party: { id: string; name: string }) => string
}

function bidPlaced(
  event: Extract<FeedItem['event'], { type: 'BidPlaced' }>,
  { selfId, ledBy }: DescribeOptions,
  { lot, money, who }: Words,
): EventText {
  const mine = event.bidder.id === selfId
  const offer = event.amount === null ? 'a secret maximum' : money(event.amount)
  const reserve = event.reserveMet ? '' : ', reserve not met'
  if (!event.leads) {
    const answer = `${who(event.bidder)} bid ${offer} on ${lot}: the leader's maximum answered at once, now ${money(event.price)}${reserve}`
    return { text: answer, tone: mine ? 'bad' : 'plain' }
  }
  const verb = mine ? 'lead' : 'leads'
  const text = `${who(event.bidder)} bid ${offer} on ${lot} and ${verb} at ${money(event.price)}${reserve}`
  if (mine) return { text, tone: 'good' }
  if (ledBy !== null && ledBy === selfId)
    return {
      text: `outbid on ${lot}: ${who(event.bidder)} leads at ${money(event.price)}${reserve}`,
      tone: 'bad',
    }
  return { text, tone: 'plain' }
}

export function paintEvent({ text, tone }: EventText, { paint }: Look): string {
  if (tone === 'plain') return text
  return paint.bold(tone === 'good' ? paint.good(text) : paint.bad(text))
}

const EXTENDED_WHY: Readonly<Record<AuctionExtended['by'], string>> = {
  'soft-close': 'a late bid',
  seller: 'the seller',
  outage: 'the time in which nobody could bid',
}

import type { Lot } from '../../model/lot.js'
import type { Settled } from '../state/bidding.js'
import { t } from '../state/language.js'
import { speechFor } from './speech.js'

/** What became of an offer, with the rule, the numbers and what to do next. */
export function settledText({ offer, result }: Settled, lot: Lot): { good: boolean; text: string } {
  const { money, clock } = speechFor(lot.currency)
  if (result.kind === 'accepted') {
    const price = money(result.price)
    if (offer.kind === 'buy-now') return { good: true, text: t('bid.bought', { price }) }
    return { good: result.leads, text: t(result.leads ? 'bid.placed.leads' : 'bid.placed.outbid', { price }) }
  }
  if (result.kind === 'failed') {
    const isAway = result.code === 'HOME_UNREACHABLE' || result.code === 'GATEWAYS_UNREACHABLE'
    const text = isAway ? t('bid.refused.unreachable') : t('bid.refused', { reason: result.reason })
    return { good: false, text }
  }
  const { code, minimum, price, reason } = result.rejected
  const say = (text: string) => ({ good: false, text })
  switch (code) {
    case 'BID_TOO_LOW':
      return say(
        price === null
          ? t('bid.refused.too-low.first', { minimum: money(minimum ?? lot.startPrice) })
          : t('bid.refused.too-low', { price: money(price), minimum: money(minimum ?? price) }),
      )
    case 'AUCTION_ENDED':
    case 'AUCTION_CLOSED':
    case 'AUCTION_CANCELLED':
      return say(t('bid.refused.late', { time: clock(lot.endedAtMs ?? lot.closesAtMs ?? 0) }))
    case 'ALREADY_LEADING':
      return say(t('bid.refused.leading', { price: money(price ?? lot.price ?? lot.startPrice) }))
    case 'MAX_BELOW_PRICE':
      return say(t('bid.refused.max', { price: money(price ?? lot.price ?? lot.startPrice) }))
    case 'BUY_NOW_AVAILABLE':
      return say(t('bid.refused.buy-now'))
    case 'BUY_NOW_WITHDRAWN':
      return say(t('bid.refused.withdrawn', { minimum: money(minimum ?? lot.minimum ?? lot.startPrice) }))
    case 'OWN_AUCTION':
      return say(t('bid.refused.own'))
    case 'NOT_OPEN_YET':
      return say(t('bid.refused.not-open'))
    default:
      return say(t('bid.refused', { reason }))
  }
}

import type { Currency } from '../../domain/currency.js'
import { formatMoney, type Minor } from '../../domain/money.js'
import type { Rejection } from '../../domain/rejection.js'
import { timeText } from '../log/time-text.js'

export interface Explanation {
  /** One sentence with the numbers. */
  readonly message: string
  /** What to do now. */
  readonly next: string
}

export interface ExplainOptions {
  /** Times are written as RFC 3339 in UTC otherwise. */
  readonly formatTime?: (ms: number) => string
}

/**
 * A rejection in words, for every surface alike. `terms` are the auction's; null where it does not exist, or is not
 * known here: amounts are minor units then. Seller names are others' words: sanitise the text before a terminal.
 */
export function explainRejection(
  rejection: Rejection,
  terms: { readonly currency: Currency } | null,
  { formatTime = timeText }: ExplainOptions = {},
): Explanation {
  const money = (minor: Minor) => (terms ? formatMoney(minor, terms.currency) : `${minor} minor units`)
  switch (rejection.code) {
    case 'TERMS_INVALID':
      return {
        message: `The terms are not sound: ${rejection.problems.map(({ field, rule }) => `${field} ${rule}`).join('; ')}.`,
        next: 'Correct them and ask again.',
      }
    case 'NOT_OPEN_YET':
      return {
        message: `Bidding has not begun: the auction opens at ${formatTime(rejection.opensAt)}.`,
        next: 'Bid from then on.',
      }
    case 'AUCTION_ENDED':
      return {
        message: `The auction ended at ${formatTime(rejection.endedAt)}, by its home's clock.`,
        next: 'Nothing more can be done here; the result follows at once.',
      }
    case 'AUCTION_CLOSED':
      return {
        message: `The auction was closed at ${formatTime(rejection.closedAt)}.`,
        next: 'Look at the auction to see who won.',
      }
    case 'AUCTION_CANCELLED':
      return {
        message: `The auction was cancelled at ${formatTime(rejection.cancelledAt)}.`,
        next: 'Look for another auction.',
      }
    case 'OWN_AUCTION':
      return {
        message: 'This is your own auction, and sellers do not bid on what they sell.',
        next: 'Wait for bids of others.',
      }
    case 'ALREADY_LEADING':
      return {
        message: `You lead already, at ${money(rejection.price)}, and nobody bids against themselves.`,
        next: 'Wait until you are outbid, or leave a maximum to be ready for it.',
      }
    case 'BID_TOO_LOW':
      return tooLow(rejection.minimum, rejection.price, money)
    case 'MAX_BELOW_PRICE':
      return {
        message: `A maximum cannot be lowered below the present price of ${money(rejection.price)}.`,
        next: `Leave a maximum of ${money(rejection.price)} or more.`,
      }
    case 'BUY_NOW_AVAILABLE':
      return buyInstead(rejection, money)
    case 'NO_BUY_NOW':
      return { message: 'This auction has no buy-now price.', next: 'Place a bid instead.' }
    case 'BUY_NOW_WITHDRAWN':
      return {
        message: 'The lot cannot be bought at once any more: bidding has withdrawn the buy-now price.',
        next: bidAtLeast(rejection.minimum, money),
      }
    case 'NOT_SELLER':
      return {
        message: `Only the seller, ${rejection.seller}, may do this.`,
        next: `Ask ${rejection.seller}, or use the node that opened the auction.`,
      }
    case 'HAS_BIDS':
      return {
        message: `An auction can be cancelled before its first bid only, and this one has ${count(rejection.bidCount, 'bid')}.`,
        next: 'Close it instead: the leader wins, if the reserve is met.',
      }
    case 'NO_END_TIME':
      return {
        message: 'This auction has no end time that could be moved: it stays open until its seller closes it.',
        next: 'Close it when you want it to end.',
      }
    case 'EXTENSION_NOT_LATER':
      return {
        message: `The auction ends at ${formatTime(rejection.closesAt)} already, and its end can only be moved later.`,
        next: 'Give a later time.',
      }
    case 'PAST_HARD_STOP':
      return {
        message: `The terms let no extension pass ${formatTime(rejection.hardStopAt)}.`,
        next: `Give a time no later than ${formatTime(rejection.hardStopAt)}.`,
      }
    case 'COMMAND_ID_REUSED':
      return {
        message: 'This command id was used for another command before.',
        next: 'Use a new id, or leave it out; repeat an id only to repeat the very same command.',
      }
    case 'NOT_DUE':
      return {
        message:
          rejection.dueAt === null
            ? 'Nothing is due for this auction.'
            : `This is not due before ${formatTime(rejection.dueAt)}.`,
        next: 'Wait for it: the home acts on its own.',
      }
    default: {
      const unknown: never = rejection
      throw new Error(`unknown rejection ${JSON.stringify(unknown)}`)
    }
  }
}

function tooLow(minimum: Minor | null, price: Minor | null, money: (minor: Minor) => string): Explanation {
  const next = bidAtLeast(minimum, money)
  if (minimum === null) return { message: `The price is ${money(price ?? 0)}, and no higher amount can be bid.`, next }
  if (price === null) return { message: `The first bid must be at least ${money(minimum)}.`, next }
  return {
    message: `The price is ${money(price)}, and the next bid must be at least ${money(minimum)}.`,
    next,
  }
}

function bidAtLeast(minimum: Minor | null, money: (minor: Minor) => string): string {
  return minimum === null ? 'Look for another auction.' : `Bid ${money(minimum)} or more.`
}

function buyInstead(
  { buyNow, minimum }: { readonly buyNow: Minor; readonly minimum: Minor | null },
  money: (minor: Minor) => string,
): Explanation {
  const price = money(buyNow)
  if (minimum === null)
    return {
      message: `The lot can be bought at once for ${price}, and the next bid would have to be no less.`,
      next: 'Buy it now.',
    }
  return {
    message: `The lot can be bought at once for ${price}, which is no more than your bid.`,
    next: `Buy it now, or bid from ${money(minimum)} to less than ${price}.`,
  }
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}

import type { Currency } from '../../domain/currency.js'
import { formatAmount, type Minor } from '../../domain/money.js'
import type { Rejection } from '../../domain/rejection.js'
import type { CommandResult } from '../../ports/node/node-answers.js'
import type { Accepted } from '../../ports/store/outcome-repository.js'
import { explainRejection } from '../node/explain-rejection.js'
import { auctionJson, type Json, jsonTime } from './json-shapes.js'

/** A command's outcome with the auction as it stands after it. */
export function resultJson({ outcome, auction }: CommandResult) {
  const currency = auction?.state.terms.currency ?? null
  const shown = auction && auctionJson(auction)
  if (outcome.status === 'accepted') return { ...acceptedJson(outcome, currency), auction: shown }
  return {
    status: outcome.status,
    command_id: outcome.commandId,
    auction_id: outcome.auctionId === '' ? null : outcome.auctionId,
    at: jsonTime(outcome.at),
    rejection: rejectionJson(outcome.rejection, currency),
    auction: shown,
  }
}

/** What was done. `currency` null: not known here, and amounts are left out. */
export function acceptedJson({ status, commandId, auctionId, at, seq, bid }: Accepted, currency: Currency | null) {
  const done = { status, command_id: commandId, auction_id: auctionId, at: jsonTime(at), seq }
  if (!bid) return done
  return {
    ...done,
    leads: bid.leads,
    price: currency && formatAmount(bid.price, currency),
    reserve_met: bid.reserveMet,
    ...(currency && { currency: currency.code }),
  }
}

/** `currency` null: amounts are left out. */
export function rejectionJson(rejection: Rejection, currency: Currency | null): Record<string, Json> {
  const { message, next } = explainRejection(rejection, currency && { currency })
  return { code: rejection.code, message, next, ...rejectionData(rejection, currency) }
}

function rejectionData(rejection: Rejection, currency: Currency | null): Record<string, Json> {
  const amount = (minor: Minor | null) => (minor === null || !currency ? null : formatAmount(minor, currency))
  const unit: Record<string, Json> = currency ? { currency: currency.code } : {}
  switch (rejection.code) {
    case 'TERMS_INVALID':
      return { problems: rejection.problems.map(({ field, rule }) => ({ field, rule })) }
    case 'NOT_OPEN_YET':
      return { opens_at: jsonTime(rejection.opensAt) }
    case 'AUCTION_ENDED':
      return { ended_at: jsonTime(rejection.endedAt) }
    case 'AUCTION_CLOSED':
      return { closed_at: jsonTime(rejection.closedAt) }
    case 'AUCTION_CANCELLED':
      return { cancelled_at: jsonTime(rejection.cancelledAt) }
    case 'BID_TOO_LOW':
      return { minimum: amount(rejection.minimum), price: amount(rejection.price), ...unit }
    case 'ALREADY_LEADING':
    case 'MAX_BELOW_PRICE':
      return { price: amount(rejection.price), ...unit }
    case 'BUY_NOW_AVAILABLE':
      return { buy_now: amount(rejection.buyNow), minimum: amount(rejection.minimum), ...unit }
    case 'BUY_NOW_WITHDRAWN':
      return { minimum: amount(rejection.minimum), ...unit }
    case 'NOT_SELLER':
      return { seller: rejection.seller }
    case 'HAS_BIDS':
      return { bid_count: rejection.bidCount }
    case 'EXTENSION_NOT_LATER':
      return { closes_at: jsonTime(rejection.closesAt) }
    case 'PAST_HARD_STOP':
      return { hard_stop_at: jsonTime(rejection.hardStopAt) }
    case 'NOT_DUE':
      return { due_at: jsonTime(rejection.dueAt) }
    case 'OWN_AUCTION':
    case 'NO_BUY_NOW':
    case 'NO_END_TIME':
    case 'COMMAND_ID_REUSED':
      return {}
    default: {
      const unknown: never = rejection
      throw new Error(`unknown rejection ${JSON.stringify(unknown)}`)
    }
  }
}

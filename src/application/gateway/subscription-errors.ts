import { GatewayRefusal } from './gateway-refusal.js'

/** Of what is asked of a connection that hears auctions. */

export function nothingToHear(): GatewayRefusal {
  return new GatewayRefusal('INVALID_INPUT', 'nothing to subscribe to', {
    field: 'auction_id',
    next: 'give auction_id, auction_ids or "catalogue": true',
  })
}

export function badCursor(): GatewayRefusal {
  return new GatewayRefusal('INVALID_INPUT', 'the cursor is not one of the catalogue', {
    field: 'cursor',
    next: 'give the cursor of the last message, or leave it out',
  })
}

export function tooManySubscriptions(what: string, instead: string): GatewayRefusal {
  return new GatewayRefusal('TOO_MANY_SUBSCRIPTIONS', `a connection ${what} at most`, { next: instead })
}

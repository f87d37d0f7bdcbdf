import { z } from 'zod'
import type { Encoding } from '../../application/gateway/live-message.js'
import { type EventMessage, eventMessages } from '../../application/gateway/public-events.js'
import { textFrame } from './socket-writer.js'

/**
 * Events as /ws/auction/{id} sends them: in the words of the auction servers whose clients connect there, which know
 * `bid_update`, `auction_extended` and `auction_ended`. All else is as everywhere.
 */
const { bid_placed, auction_extended, auction_closed, ...others } = eventMessages

const orNull = z.string().nullable()

export const pathMessages = {
  ...others,
  bid_update: bid_placed
    .extend({
      type: z.literal('bid_update'),
      current_bid: z.string(),
      current_winner: z.string(),
      current_winner_id: z.string(),
    })
    .meta({
      description: '`bid_placed`: a bid was accepted. `current_bid` and `current_winner` are as after it.',
    }),
  auction_extended: auction_extended.extend({ new_end_time: z.string() }).meta({ description: 'The end has moved.' }),
  auction_ended: auction_closed
    .extend({ type: z.literal('auction_ended'), winner: orNull, final_price: orNull })
    .meta({ description: '`auction_closed`: the auction is closed.' }),
} as const
type PathMessage = {
  [T in keyof typeof pathMessages]: z.output<(typeof pathMessages)[T]>
}[keyof typeof pathMessages]

/** How a connection's events are framed: those of one auction, and those of all. */
export interface EventFrames {
  readonly auction: Encoding
  readonly catalogue: Encoding
}

/** At /ws. */
export const PUBLIC_FRAMES: EventFrames = {
  auction: ({ text }) => textFrame(text),
  catalogue: ({ catalogueText }) => textFrame(catalogueText),
}

/** At /ws/auction/{id}. */
export const PATH_FRAMES: EventFrames = {
  auction: ({ body }) => textFrame(JSON.stringify(pathMessage(body))),
  catalogue: ({ inCatalogue }) => textFrame(JSON.stringify(pathMessage(inCatalogue))),
}

function pathMessage(event: EventMessage): PathMessage {
  switch (event.type) {
    case 'bid_placed': {
      const { price, leader } = event
      return {
        ...event,
        type: 'bid_update',
        current_bid: price,
        current_winner: leader.name,
        current_winner_id: leader.id,
      }
    }
    case 'auction_extended':
      return { ...event, new_end_time: event.closes_at }
    case 'auction_closed': {
      const { result } = event
      return {
        ...event,
        type: 'auction_ended',
        winner: result.sold ? result.winner.name : null,
        final_price: result.sold ? result.price : null,
      }
    }
    default:
      return event
  }
}

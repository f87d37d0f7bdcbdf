import { z } from 'zod'
import { auctionJson, jsonTime } from '../../application/gateway/json-shapes.js'
import { auctionResult, pictureSchema } from '../../application/gateway/public-events.js'
import { AUCTION_PHASES } from '../../domain/auction.js'
import { CLOSED_BY } from '../../domain/events.js'
import { COMMAND_WORDS } from '../../domain/remote-command.js'
import { BIDDER_NAMES } from '../../domain/terms.js'
import type { AuctionView } from '../../ports/node/node-answers.js'
import { receiptOwner, type SignedReceipts } from '../../ports/store/receipt-repository.js'

const amount = z.string()
const time = z.string()
const party = z.object({ id: z.string(), name: z.string() })

export const auctionSchema = z
  .looseObject({
    id: z.string(),
    auction_id: z.string(),
    seq: z.int(),
    hash: z.string(),
    status: z.enum(AUCTION_PHASES),
    title: z.string(),
    description: z.string(),
    currency: z.string(),
    start_price: amount,
    starting_bid: amount,
    price: amount.nullable(),
    current_bid: amount.nullable(),
    current_winner: z.string().nullable(),
    minimum: amount.nullable(),
    leader: party.nullable(),
    bid_count: z.int(),
    has_reserve: z.boolean(),
    reserve_met: z.boolean(),
    buy_now: amount.nullable(),
    buy_now_available: z.boolean(),
    increments: z.array(z.object({ from: amount, step: amount })),
    seller: party,
    home: z.object({
      node_id: z.string(),
      name: z.string().nullable(),
      public_key: z.string(),
      state: z.enum(['self', 'alive', 'suspect', 'dead', 'left', 'unknown']),
      in_cluster: z.boolean().meta({ description: 'Another node takes the auction over where this one goes away.' }),
    }),
    disputed: z.boolean(),
    maxima_lost_since: z.int().nullable(),
    opened_at: time,
    opens_at: time.nullable(),
    closes_at: time.nullable(),
    start_time: time,
    end_time: time.nullable(),
    soft_close: z.object({ window_ms: z.int(), extension_ms: z.int(), hard_stop_at: time.nullable() }).nullable(),
    bidder_names: z.enum(BIDDER_NAMES),
    gives_time_back: z.boolean(),
    pictures: z.array(pictureSchema),
    closed_at: time.nullable(),
    closed_by: z.enum(CLOSED_BY).nullable(),
    result: auctionResult.nullable(),
    cancelled_at: time.nullable(),
    cancelled_by: z.enum(['seller', 'home']).nullable(),
    cancel_reason: z.string().nullable(),
    you: z.enum(['seller', 'leading', 'outbid', 'won', 'lost']).nullable(),
  })
  .meta({
    description:
      'An auction; `you` is how the caller stands. Amounts are decimal text in `currency`. `ended`: its end has come, and its home has not closed it yet. `cancelled_by` `home`: its home has given it up, and nobody has won. `maxima_lost_since`: its home has lost the maxima that were left with it from this event on; whoever left one has to leave it anew.',
  })

export const outcomeSchema = z
  .looseObject({
    status: z.literal('accepted'),
    command_id: z.string(),
    auction_id: z.string(),
    at: time,
    seq: z.int(),
    leads: z.boolean().optional(),
    price: amount.nullable().optional(),
    reserve_met: z.boolean().optional(),
    currency: z.string().optional(),
    auction: auctionSchema.nullable(),
  })
  .meta({ description: 'What was done, with the auction as it stands after it.' })

export const bidSchema = z.object({
  seq: z.int(),
  at: time,
  bid_id: z.string(),
  bidder: party,
  kind: z.enum(['plain', 'max', 'max-change', 'buy-now']),
  amount: amount.nullable(),
  price: amount,
  currency: z.string(),
  leads: z.boolean(),
})

/** What is left of `auctionSchema` where the auction cannot be read, or is not all of the answer. */
export const partOfAuction = auctionSchema.partial().required({ id: true, auction_id: true })

export const receiptSchema = z.object({
  auction_id: z.string(),
  command_id: z.string(),
  type: z.string(),
  status: z.enum(['accepted', 'rejected']),
  seq: z.int().nullable(),
  code: z.string().nullable(),
  at: time,
  home: z.object({ node_id: z.string(), public_key: z.string() }),
  signed_at: time,
  signature: z.string().nullable(),
  batch: z.int().nullable(),
})

export const winnerSchema = z
  .object({
    auction_id: z.string(),
    winner: party.meta({ description: 'As the auction shows it to everybody.' }),
    identity: z.enum(['account', 'public', 'other_gateway']).meta({
      description:
        'account: see `account`; public: `winner` is no pseudonym; other_gateway: only the gateway that the winner came through knows who it is.',
    }),
    account: party.nullable(),
    bid_id: z.string(),
    price: amount,
    currency: z.string(),
    closed_at: time,
    disputed: z.boolean(),
    code: z.enum(['WINNER_OF_OTHER_GATEWAY']).nullable(),
    reason: z.string().nullable(),
    next: z.string().nullable(),
  })
  .meta({ description: 'Who has won, for the seller.' })

export const problemSchema = z
  .looseObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    field: z.string().optional(),
    errors: z
      .array(z.object({ field: z.string(), rule: z.string() }))
      .optional()
      .meta({ description: 'Where more than `field` is wrong: all of it.' }),
    limit: z.string().optional(),
    next: z.string().optional(),
  })
  .meta({ description: 'RFC 9457: `code` is stable, `next` says what to do.' })

/** An auction in the HTTP API: also under the names that other auction systems' programs look for. */
export function auctionResource(view: AuctionView): z.output<typeof auctionSchema> {
  const { auto_bid: _, ...auction } = auctionJson(view)
  const { opensAt } = view.state.terms
  return {
    id: view.auctionId,
    ...auction,
    starting_bid: auction.start_price,
    current_bid: auction.price,
    current_winner: auction.leader?.name ?? null,
    start_time: jsonTime(opensAt ?? view.state.openedAt),
    end_time: auction.closes_at,
  }
}

/**
 * What homes have signed for one party. A home signs the commands of a batch together: the signature is only given
 * where the batch holds nobody else's, since others' maxima are theirs to keep.
 */
export function receiptResources(signed: readonly SignedReceipts[], partyId: string): z.output<typeof receiptSchema>[] {
  return signed.flatMap(({ home, signedAt, signature, receipts }) => {
    const mine = receipts.filter(({ command }) => receiptOwner({ command }) === partyId)
    const whole = mine.length === receipts.length
    return mine.map(({ command, outcome }) => ({
      auction_id: command.auctionId,
      command_id: command.commandId,
      type: COMMAND_WORDS[command.type],
      status: outcome.status,
      seq: outcome.status === 'accepted' ? outcome.seq : null,
      code: outcome.status === 'rejected' ? outcome.rejection.code : null,
      at: jsonTime(outcome.at),
      home: { node_id: home.nodeId, public_key: home.publicKey },
      signed_at: jsonTime(signedAt),
      signature: whole ? signature : null,
      batch: whole ? receipts.length : null,
    }))
  })
}

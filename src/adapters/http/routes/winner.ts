import { z } from 'zod'
import { isPseudonym } from '../../../application/accounts/pseudonym.js'
import { jsonTime } from '../../../application/gateway/json-shapes.js'
import { formatAmount } from '../../../domain/money.js'
import type { Caller } from '../../../ports/accounts/caller.js'
import type { AuctionView } from '../../../ports/node/node-answers.js'
import { RequestError } from '../problem.js'
import { winnerSchema } from '../resources.js'
import { auctionParams, type GatewayApp, problems, type RouteDeps, sellerOf, whoQuery } from './route.js'

/** Who has won, also behind a pseudonym: for the seller, who has to know, and for admins. */
export function winnerRoutes(app: GatewayApp, deps: RouteDeps): void {
  app.get(
    '/api/v1/auctions/:id/winner',
    {
      schema: {
        tags: ['selling'],
        summary: 'Who has won, for the seller',
        description:
          'For the seller and admins, once the auction is over: the account behind a pseudonym, where it is one of this gateway. `identity: other_gateway`: only the gateway that the winner came through can tell.',
        params: auctionParams,
        querystring: z.strictObject(whoQuery),
        response: { 200: winnerSchema, ...problems },
      },
    },
    async (request) => {
      const caller = sellerOf(request, deps)
      const view = await deps.bidders.show(request.params.id, caller)
      const { winner, price, bidId, closedAt } = wonBy(view, caller)
      const account = await deps.bidders.accountBehind(winner, view.auctionId)
      const named = isPseudonym(winner.id) ? 'other_gateway' : 'public'
      const identity: Identity = account ? 'account' : named
      const { currency } = view.state.terms
      return {
        auction_id: view.auctionId,
        winner,
        identity,
        account,
        bid_id: bidId,
        price: formatAmount(price, currency),
        currency: currency.code,
        closed_at: jsonTime(closedAt),
        disputed: view.disputed,
        ...(identity === 'other_gateway' ? ELSEWHERE : { code: null, reason: null, next: null }),
      }
    },
  )
}

type Identity = z.output<typeof winnerSchema>['identity']

const ELSEWHERE = {
  code: 'WINNER_OF_OTHER_GATEWAY',
  reason:
    'no account of this gateway has bid there under this pseudonym: only the gateway that the winner came through knows who it is',
  next: 'ask who runs the other gateways of the mesh: `vendue user who PSEUDONYM` shows it to them',
} as const

/** What was won, for who may know by whom. */
function wonBy({ state }: AuctionView, caller: Caller) {
  const isAdmin = caller.roles.includes('admin') && caller.scopes.includes('admin')
  if (state.seller.id !== caller.party.id && !isAdmin) {
    throw new RequestError(403, 'NOT_SELLER', 'only the seller and admins may see who has won', {
      next: 'ask the seller; everybody sees the winner as the auction shows it',
    })
  }
  if (state.status === 'cancelled' || (state.status === 'closed' && !state.result.sold)) {
    throw new RequestError(404, 'NO_WINNER', 'the auction ended without a sale', {
      next: 'open another auction to sell the lot',
    })
  }
  if (state.status !== 'closed' || !state.result.sold) {
    throw new RequestError(409, 'AUCTION_NOT_OVER', 'nobody has won yet: bidders stay unnamed until then', {
      next: 'ask again once the auction has closed',
    })
  }
  return { ...state.result, closedAt: state.closedAt }
}

import type { AuctionView } from '../../../ports/node/node-api.js'
import type { BidRecord } from '../../../ports/store/auction-repository.js'
import { defineRpc } from './define-rpc.js'
import { historyRequest, trusted } from './node-schemas.js'

export const historyRpc = defineRpc({
  name: 'vendue.node.history',
  access: 'operator',
  effect: 'read',
  request: historyRequest,
  result: trusted<{ auction: AuctionView; bids: BidRecord[] }>('auction', 'bids'),
  handler: (node) => (request) => node.history(request),
})

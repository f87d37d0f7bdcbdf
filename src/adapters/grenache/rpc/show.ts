import type { AuctionView } from '../../../ports/node-api.js'
import { defineRpc } from '../define-rpc.js'
import { auctionRequest, trusted } from '../node-schemas.js'

export const showRpc = defineRpc({
  name: 'vendue.node.show',
  access: 'operator',
  effect: 'read',
  request: auctionRequest,
  result: trusted<AuctionView>('auctionId', 'head', 'state'),
  handler: (node) => (request) => node.show(request),
})

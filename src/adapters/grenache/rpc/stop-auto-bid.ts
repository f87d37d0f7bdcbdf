import { auctionRequest } from '../../../application/node/request-schemas.js'
import { defineRpc } from './define-rpc.js'
import { autoBidView } from './node-schemas.js'

export const stopAutoBidRpc = defineRpc({
  name: 'vendue.node.stop-auto-bid',
  access: 'operator',
  effect: 'command',
  request: auctionRequest,
  result: autoBidView,
  handler: (node) => (request) => node.stopAutoBid(request),
})

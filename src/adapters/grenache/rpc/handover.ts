import { handoverRequest } from '../../../application/node/request-schemas.js'
import type { AuctionView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const handoverRpc = defineRpc({
  name: 'vendue.node.handover',
  access: 'operator',
  effect: 'command',
  request: handoverRequest,
  result: trusted<AuctionView>('auctionId', 'head', 'state'),
  handler: (node) => (request) => node.handover(request),
})

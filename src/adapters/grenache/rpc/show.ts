import { showRequest } from '../../../application/node/request-schemas.js'
import type { AuctionView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const showRpc = defineRpc({
  name: 'vendue.node.show',
  access: 'operator',
  effect: 'read',
  request: showRequest,
  result: trusted<AuctionView>('auctionId', 'head', 'state'),
  handler: (node) => (request) => node.show(request),
})

import { listRequest } from '../../../application/node/request-schemas.js'
import type { AuctionView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const listRpc = defineRpc({
  name: 'vendue.node.list',
  access: 'operator',
  effect: 'read',
  request: listRequest,
  result: trusted<{ auctions: AuctionView[]; next: string | null }>('auctions', 'next'),
  handler: (node) => (request) => node.list(request),
})

import { noRequest } from '../../../application/node/request-schemas.js'
import type { AutoBidView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trustedList } from './node-schemas.js'

export const autoBidsRpc = defineRpc({
  name: 'vendue.node.auto-bids',
  access: 'operator',
  effect: 'read',
  request: noRequest,
  result: trustedList<AutoBidView>('autoBid', 'auction'),
  handler: (node) => () => node.autoBids(),
})

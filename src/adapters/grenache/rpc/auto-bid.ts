import { autoBidRequest } from '../../../application/node/request-schemas.js'
import { defineRpc } from './define-rpc.js'
import { autoBidView } from './node-schemas.js'

export const autoBidRpc = defineRpc({
  name: 'vendue.node.auto-bid',
  access: 'operator',
  effect: 'command',
  request: autoBidRequest,
  result: autoBidView,
  handler: (node) => (request) => node.autoBid(request),
})

import { commandRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const buyNowRpc = defineRpc({
  name: 'vendue.node.buy-now',
  access: 'operator',
  effect: 'command',
  request: commandRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.buyNow(traced(request, requestIds)),
})

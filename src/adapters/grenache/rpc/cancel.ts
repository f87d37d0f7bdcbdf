import { cancelRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const cancelRpc = defineRpc({
  name: 'vendue.node.cancel',
  access: 'operator',
  effect: 'command',
  request: cancelRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.cancel(traced(request, requestIds)),
})

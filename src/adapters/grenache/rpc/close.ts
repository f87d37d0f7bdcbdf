import { commandRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const closeRpc = defineRpc({
  name: 'vendue.node.close',
  access: 'operator',
  effect: 'command',
  request: commandRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.close(traced(request, requestIds)),
})

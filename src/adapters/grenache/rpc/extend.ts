import { extendRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const extendRpc = defineRpc({
  name: 'vendue.node.extend',
  access: 'operator',
  effect: 'command',
  request: extendRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.extend(traced(request, requestIds)),
})

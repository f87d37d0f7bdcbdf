import { openRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const openRpc = defineRpc({
  name: 'vendue.node.open',
  access: 'operator',
  effect: 'command',
  request: openRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.open(traced(request, requestIds)),
})

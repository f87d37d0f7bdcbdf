import { bidRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, traced } from './define-rpc.js'
import { commandResult } from './node-schemas.js'

export const bidRpc = defineRpc({
  name: 'vendue.node.bid',
  access: 'operator',
  effect: 'command',
  request: bidRequest,
  result: commandResult,
  handler: (node) => (request, _, requestIds) => node.bid(traced(request, requestIds)),
})

import { logRequest } from '../../../application/node/request-schemas.js'
import type { LogPage } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const logRpc = defineRpc({
  name: 'vendue.node.log',
  access: 'operator',
  effect: 'read',
  request: logRequest,
  result: trusted<LogPage>('auctionId', 'commits', 'head'),
  handler: (node) => (request) => node.log(request),
})

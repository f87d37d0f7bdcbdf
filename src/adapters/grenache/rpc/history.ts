import { historyRequest } from '../../../application/node/request-schemas.js'
import type { HistoryPage } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const historyRpc = defineRpc({
  name: 'vendue.node.history',
  access: 'operator',
  effect: 'read',
  request: historyRequest,
  result: trusted<HistoryPage>('auction', 'bids', 'next'),
  handler: (node) => (request) => node.history(request),
})

import { eventsRequest } from '../../../application/node/request-schemas.js'
import type { FeedItem } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const eventsRpc = defineRpc({
  name: 'vendue.node.events',
  access: 'operator',
  effect: 'read',
  routine: true,
  request: eventsRequest,
  result: trusted<{ items: FeedItem[]; cursor: string }>('items', 'cursor'),
  handler: (node) => (request) => node.events(request),
})

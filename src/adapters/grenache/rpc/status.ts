import { noRequest } from '../../../application/node/request-schemas.js'
import type { NodeStatus } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const statusRpc = defineRpc({
  name: 'vendue.node.status',
  access: 'operator',
  effect: 'read',
  request: noRequest,
  result: trusted<NodeStatus>('node', 'grape', 'peers', 'auctions'),
  handler: (node) => () => node.status(),
})

import { noRequest } from '../../../application/node/request-schemas.js'
import type { PeerView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { trustedList } from './node-schemas.js'

export const peersRpc = defineRpc({
  name: 'vendue.node.peers',
  access: 'operator',
  effect: 'read',
  request: noRequest,
  result: trustedList<PeerView>('nodeId', 'name', 'address', 'state'),
  handler: (node) => () => node.peers(),
})

import { auctionRequest } from '../../../application/node/request-schemas.js'
import type { EquivocationProof } from '../../../ports/store/equivocation-repository.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const proofRpc = defineRpc({
  name: 'vendue.node.proof',
  access: 'operator',
  effect: 'read',
  request: auctionRequest,
  result: trusted<EquivocationProof>('auctionId', 'authority', 'first', 'second').nullable(),
  handler: (node) => (request) => node.proof(request),
})

import { z } from 'zod'
import { line } from '../../../application/log/text-schema.js'
import type { AuctionView } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { auction, trusted } from './node-schemas.js'

const MAX_PEER_LENGTH = 96

export const handoverRpc = defineRpc({
  name: 'vendue.node.handover',
  access: 'operator',
  effect: 'command',
  request: z.strictObject({ auction, peer: line(MAX_PEER_LENGTH) }),
  result: trusted<AuctionView>('auctionId', 'head', 'state'),
  handler: (node) => (request) => node.handover(request),
})

import { z } from 'zod'
import type { SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { defineRpc } from './define-rpc.js'
import { auctionRequest, trusted } from './node-schemas.js'

export const receiptsRpc = defineRpc({
  name: 'vendue.node.receipts',
  access: 'operator',
  effect: 'read',
  request: z.strictObject({
    auction: auctionRequest.shape.auction.exactOptional(),
    after: z.int().nonnegative().exactOptional(),
  }),
  result: trusted<{ signed: SignedReceipts[]; next: number | null }>('signed', 'next'),
  handler: (node) => (request) => node.receipts(request),
})

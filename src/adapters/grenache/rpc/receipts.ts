import { receiptsRequest } from '../../../application/node/request-schemas.js'
import type { SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { defineRpc } from './define-rpc.js'
import { trusted } from './node-schemas.js'

export const receiptsRpc = defineRpc({
  name: 'vendue.node.receipts',
  access: 'operator',
  effect: 'read',
  request: receiptsRequest,
  result: trusted<{ signed: SignedReceipts[]; next: number | null }>('signed', 'next'),
  handler: (node) => (request) => node.receipts(request),
})

import { z } from 'zod'
import { seq } from '../../../application/log/text-schema.js'
import type { LogPage } from '../../../ports/node/node-api.js'
import { defineRpc } from './define-rpc.js'
import { auctionRequest, trusted } from './node-schemas.js'

export const logRpc = defineRpc({
  name: 'vendue.node.log',
  access: 'operator',
  effect: 'read',
  request: z.strictObject({ ...auctionRequest.shape, fromSeq: seq }),
  result: trusted<LogPage>('auctionId', 'commits', 'head'),
  handler: (node) => (request) => node.log(request),
})

import { z } from 'zod'
import { noRequest } from '../../../application/node/request-schemas.js'
import { defineRpc } from './define-rpc.js'

export const stopRpc = defineRpc({
  name: 'vendue.node.stop',
  access: 'operator',
  effect: 'command',
  request: noRequest,
  result: z.null(),
  handler: (node) => async () => {
    await node.stop()
    return null
  },
})

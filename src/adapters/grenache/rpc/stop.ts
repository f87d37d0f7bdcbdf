import { z } from 'zod'
import { defineRpc } from './define-rpc.js'
import { noRequest } from './node-schemas.js'

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

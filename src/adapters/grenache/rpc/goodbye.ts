import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { nodeInfoSchema } from '../peer-schemas.js'

export const goodbyeRpc = defineRpc({
  name: 'vendue.goodbye',
  access: 'peer',
  effect: 'command',
  request: nodeInfoSchema,
  result: z.null(),
  handler: (peers) => async (caller) => {
    await peers.goodbye(caller)
    return null
  },
})

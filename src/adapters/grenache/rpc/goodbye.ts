import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { goodbyeSchema } from '../peer-schemas.js'

export const goodbyeRpc = defineRpc({
  name: 'vendue.goodbye',
  access: 'peer',
  effect: 'command',
  request: goodbyeSchema,
  result: z.null(),
  handler: (peers) => async (goodbye) => {
    await peers.goodbye(goodbye)
    return null
  },
})

import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { commitSchema } from '../peer-schemas.js'
import { id } from '../text-schema.js'

export const equivocationRpc = defineRpc({
  name: 'vendue.equivocation',
  access: 'peer',
  effect: 'command',
  request: z.strictObject({
    auctionId: id,
    opening: commitSchema,
    first: commitSchema,
    second: commitSchema,
  }),
  result: z.null(),
  handler: (peers) => async (proof) => {
    await peers.tellEquivocation(proof)
    return null
  },
})

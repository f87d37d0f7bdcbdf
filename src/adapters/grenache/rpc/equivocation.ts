import { z } from 'zod'
import { id } from '../../../application/log/input-schemas.js'
import { MAX_MOVES } from '../../../domain/evolve.js'
import { defineRpc, ROLES, senderOf } from './define-rpc.js'
import { commitSchema } from './peer-schemas.js'

export const equivocationRpc = defineRpc({
  name: 'vendue.equivocation',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'command',
  unaudited: 'the proof lies beside the auction as it came',
  request: z.strictObject({
    auctionId: id,
    authority: z
      .array(commitSchema)
      .min(1)
      .max(MAX_MOVES + 1)
      .readonly(),
    first: commitSchema,
    second: commitSchema,
  }),
  result: z.null(),
  handler: (peers) => async (proof, caller) => {
    await peers.reportEquivocation(proof, senderOf(caller))
    return null
  },
})

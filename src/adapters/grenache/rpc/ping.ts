import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { challengeSchema, nodeProofSchema, rumorsSchema } from '../peer-schemas.js'

export const pingRpc = defineRpc({
  name: 'vendue.ping',
  access: 'peer',
  effect: 'read',
  routine: true,
  urgent: true,
  request: z.strictObject({ challenge: challengeSchema, rumors: rumorsSchema }),
  result: z.strictObject({ proof: nodeProofSchema, rumors: rumorsSchema }),
  handler: (peers) => (ping) => peers.ping(ping),
})

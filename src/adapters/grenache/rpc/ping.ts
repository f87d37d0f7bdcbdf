import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { nodeInfoSchema } from '../peer-schemas.js'
import { id, time } from '../text-schema.js'

export const pingRpc = defineRpc({
  name: 'vendue.ping',
  access: 'peer',
  effect: 'read',
  routine: true,
  request: nodeInfoSchema,
  result: z.strictObject({ nodeId: id, incarnation: time }),
  handler: (peers) => (caller) => peers.ping(caller),
})

import { z } from 'zod'
import { defineRpc } from '../define-rpc.js'
import { MAX_PEERS_PER_HELLO, nodeInfoSchema } from '../peer-schemas.js'

export const helloRpc = defineRpc({
  name: 'vendue.hello',
  access: 'peer',
  effect: 'command',
  request: nodeInfoSchema,
  result: z.strictObject({ node: nodeInfoSchema, peers: z.array(nodeInfoSchema).max(MAX_PEERS_PER_HELLO) }),
  handler: (peers) => (caller) => peers.hello(caller),
})

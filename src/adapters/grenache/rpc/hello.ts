import { z } from 'zod'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'
import { challengeSchema, MAX_PEERS_PER_HELLO, nodeInfoSchema, nodeProofSchema } from './peer-schemas.js'

export const helloRpc = defineRpc({
  name: 'vendue.hello',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'command',
  unaudited: 'it makes nodes known to each other, all the time',
  request: challengeSchema,
  result: z.strictObject({
    node: nodeInfoSchema,
    proof: nodeProofSchema,
    peers: z.array(nodeInfoSchema).max(MAX_PEERS_PER_HELLO),
  }),
  checkSpeaker: ({ caller }, by) => requireSelf(caller.nodeId, by, 'caller'),
  handler: (peers) => (challenge) => peers.hello(challenge),
})

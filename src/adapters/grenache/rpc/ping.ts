import { z } from 'zod'
import { defineRpc, ROLES, requireSelf, senderOf } from './define-rpc.js'
import { challengeSchema, nodeProofSchema, rumorsSchema } from './peer-schemas.js'

export const pingRpc = defineRpc({
  name: 'vendue.ping',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  routine: true,
  urgent: true,
  request: z.strictObject({ challenge: challengeSchema, rumors: rumorsSchema }),
  result: z.strictObject({ proof: nodeProofSchema, rumors: rumorsSchema }),
  checkSpeaker({ challenge, rumors }, by) {
    // A challenge that is passed on is another's, and brings no news.
    if (rumors.length > 0) requireSelf(challenge.caller.nodeId, by, 'challenge.caller')
  },
  handler: (peers) => (ping, caller) => peers.ping(ping, senderOf(caller)),
})

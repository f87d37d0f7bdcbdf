import { z } from 'zod'
import { id } from '../../../application/log/input-schemas.js'
import { defineRpc, ROLES, senderOf } from './define-rpc.js'
import { challengeSchema, nodeProofSchema } from './peer-schemas.js'

export const pingViaRpc = defineRpc({
  name: 'vendue.ping-via',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  routine: true,
  urgent: true,
  request: z.strictObject({ target: id, challenge: challengeSchema }),
  result: nodeProofSchema,
  handler:
    (peers) =>
    ({ target, challenge }, caller) =>
      peers.pingVia(target, challenge, senderOf(caller)),
})

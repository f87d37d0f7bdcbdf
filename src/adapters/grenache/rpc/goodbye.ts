import { z } from 'zod'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'
import { goodbyeSchema } from './peer-schemas.js'

export const goodbyeRpc = defineRpc({
  name: 'vendue.goodbye',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'command',
  unaudited: 'it says that a node leaves, and changes nobody else’s',
  request: goodbyeSchema,
  result: z.null(),
  checkSpeaker: ({ nodeId }, by) => requireSelf(nodeId, by, 'nodeId'),
  handler: (peers) => async (goodbye) => {
    await peers.goodbye(goodbye)
    return null
  },
})

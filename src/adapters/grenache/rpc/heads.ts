import { z } from 'zod'
import { id } from '../../../application/log/input-schemas.js'
import { defineRpc, ROLES } from './define-rpc.js'
import { headSchema, idPrefix, MAX_HEADS_PER_PAGE } from './peer-schemas.js'

export const headsRpc = defineRpc({
  name: 'vendue.heads',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  request: z.strictObject({ prefix: idPrefix, afterId: id.nullable() }),
  result: z.strictObject({ heads: z.array(headSchema).max(MAX_HEADS_PER_PAGE), next: id.nullable() }),
  handler: (peers) => (range) => peers.heads(range),
})

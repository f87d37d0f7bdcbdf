import { z } from 'zod'
import { noRequest } from '../../../application/node/request-schemas.js'
import { defineRpc, ROLES } from './define-rpc.js'
import { digestPartSchema, MAX_DIGEST_PARTS } from './peer-schemas.js'

export const digestRpc = defineRpc({
  name: 'vendue.digest',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  routine: true,
  request: noRequest,
  result: z.strictObject({ parts: z.array(digestPartSchema).max(MAX_DIGEST_PARTS) }),
  handler: (peers) => async () => ({ parts: await peers.digest() }),
})

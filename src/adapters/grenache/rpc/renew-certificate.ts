import { z } from 'zod'
import { NodeError } from '../../../ports/node/node-error.js'
import { defineRpc, ROLES } from './define-rpc.js'
import { addressesSchema, joinAnswerSchema } from './member-schemas.js'

export const renewCertificateRpc = defineRpc({
  name: 'vendue.renew-certificate',
  access: 'mesh',
  roles: ROLES.everyone,
  effect: 'command',
  request: z.strictObject({ addresses: addressesSchema }),
  result: joinAnswerSchema,
  handler:
    (mesh) =>
    async ({ addresses }, caller) => {
      if (caller.kind !== 'member') throw new NodeError('FORBIDDEN', 'this needs the certificate of a member')
      return mesh.renew(caller.nodeId, addresses)
    },
})

import { z } from 'zod'
import { id } from '../../../application/log/input-schemas.js'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'
import { consentSchema, signedParcelSchema } from './peer-schemas.js'

export const passHandoverRpc = defineRpc({
  name: 'vendue.pass-handover',
  access: 'peer',
  roles: ROLES.homes,
  effect: 'command',
  request: z.strictObject({ from: id, parcel: signedParcelSchema }),
  result: z.strictObject({ consent: consentSchema.nullable() }),
  acts: (request, answer) => [
    'code' in answer ? { code: answer.code } : { code: 'ok', auction: request.parcel.auctionId },
  ],
  checkSpeaker: ({ from }, by) => requireSelf(from, by, 'from'),
  handler:
    (peers) =>
    async ({ from, parcel }) => {
      return { consent: await peers.passHandover(from, parcel) }
    },
})

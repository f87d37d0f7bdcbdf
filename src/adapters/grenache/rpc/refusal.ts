import { z } from 'zod'
import { id, line, seq } from '../../../application/log/input-schemas.js'
import { MAX_REASON_LENGTH } from '../../../application/replication/refused-commits.js'
import { defineRpc, ROLES, requireSelf } from './define-rpc.js'

export const refusalRpc = defineRpc({
  name: 'vendue.refusal',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'command',
  unaudited: 'it reports, and changes nothing',
  request: z.strictObject({ from: id, auctionId: id, seq, reason: line(MAX_REASON_LENGTH) }),
  result: z.null(),
  checkSpeaker: ({ from }, by) => requireSelf(from, by, 'from'),
  handler: (peers) => async (refusal) => {
    await peers.reportRefusal(refusal)
    return null
  },
})

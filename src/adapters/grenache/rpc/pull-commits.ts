import { z } from 'zod'
import { defineRpc, ROLES } from './define-rpc.js'
import { MAX_WANTS_PER_PULL, pageSchema, wantSchema } from './peer-schemas.js'

export const pullCommitsRpc = defineRpc({
  name: 'vendue.pull-commits',
  access: 'peer',
  roles: ROLES.peers,
  effect: 'read',
  request: z.strictObject({ wants: z.array(wantSchema).min(1).max(MAX_WANTS_PER_PULL) }),
  result: z.strictObject({ pages: z.array(pageSchema).max(MAX_WANTS_PER_PULL) }),
  handler:
    (peers) =>
    async ({ wants }) => ({ pages: await peers.pullCommits(wants) }),
})

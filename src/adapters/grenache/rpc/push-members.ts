import { z } from 'zod'
import { defineRpc, ROLES } from './define-rpc.js'
import { MAX_ENTRIES_PER_PAGE, memberEntrySchema } from './member-schemas.js'

export const pushMembersRpc = defineRpc({
  name: 'vendue.push-members',
  access: 'mesh',
  roles: ROLES.peers,
  effect: 'command',
  unaudited: 'entries are signed by the authority, and lie in the member log as they came',
  request: z.strictObject({ entries: z.array(memberEntrySchema).min(1).max(MAX_ENTRIES_PER_PAGE) }),
  result: z.null(),
  handler:
    (mesh) =>
    async ({ entries }) => {
      await mesh.pushMembers(entries)
      return null
    },
})

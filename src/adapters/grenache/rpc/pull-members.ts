import { z } from 'zod'
import type { MemberPage } from '../../../ports/members/mesh-service.js'
import { defineRpc, ROLES } from './define-rpc.js'
import { MAX_ENTRIES_PER_PAGE, memberEntrySchema } from './member-schemas.js'

const page: z.ZodType<MemberPage> = z.strictObject({
  entries: z.array(memberEntrySchema).max(MAX_ENTRIES_PER_PAGE),
  version: z.int().nonnegative(),
})

export const pullMembersRpc = defineRpc({
  name: 'vendue.pull-members',
  access: 'mesh',
  roles: ROLES.everyone,
  effect: 'read',
  routine: true,
  request: z.strictObject({ afterSeq: z.int().nonnegative() }),
  result: page,
  handler:
    (mesh) =>
    ({ afterSeq }) =>
      mesh.pullMembers(afterSeq),
})

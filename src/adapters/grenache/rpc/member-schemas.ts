import { z } from 'zod'
import { MAX_MEMBER_ENTRY_BYTES, memberAddresses, memberName } from '../../../application/members/member-log.js'
import type { MemberLogEntry } from '../../../ports/members/member.js'
import type { JoinAnswer, JoinRequest } from '../../../ports/members/mesh-authority.js'

/** Of the member log in one answer. */
export const MAX_ENTRIES_PER_PAGE = 256
const key = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/)

export const memberEntrySchema: z.ZodType<MemberLogEntry> = z.strictObject({
  body: z.string().max(MAX_MEMBER_ENTRY_BYTES),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  signature,
})

export const joinRequestSchema: z.ZodType<JoinRequest> = z.strictObject({
  secret: key,
  publicKey: key,
  name: memberName,
  addresses: memberAddresses,
  signature,
})

export const joinAnswerSchema: z.ZodType<JoinAnswer> = z.strictObject({
  certificate: z.string().max(8_192),
  log: z.array(memberEntrySchema).max(MAX_ENTRIES_PER_PAGE),
  version: z.int().nonnegative(),
})

export const addressesSchema = memberAddresses

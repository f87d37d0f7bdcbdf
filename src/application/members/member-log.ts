/** Room `members`: who belongs to the mesh: its authority, the member log, certificates. */

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { NODE_NAME, NODE_NAME_RULE } from '../../domain/limits.js'
import {
  type CaCertificate,
  MEMBER_ROLES,
  type Member,
  type MemberEvent,
  type MemberLogEntry,
  type MemberRole,
} from '../../ports/members/member.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { base32 } from '../log/base32.js'
import { InexactJsonError, parseExactly } from '../log/exact-json.js'
import { MESH_ID, NODE_ID, nodeIdOf } from '../log/ids.js'

/** Who belongs to a mesh, according to its log up to some entry. */
export interface MemberState {
  readonly meshId: string
  readonly meshName: string
  readonly seq: number
  readonly headHash: string | null
  readonly members: ReadonlyMap<string, Member>
  /** Revoked node ids; revoking is for good. */
  readonly revoked: ReadonlySet<string>
  /** Who may be, or once could be, the home of auctions. */
  readonly homes: ReadonlyMap<string, HomeTenure>
  /** Oldest first. The last one signs; certificates of those before stay good for members. */
  readonly cas: readonly CaCertificate[]
}

export interface HomeTenure {
  /** When it was revoked, or lost the role, by the authority's clock; null: not yet. */
  readonly until: number | null
}

/** An entry does not belong into the log. */
export class MemberLogError extends Error {
  readonly code: string = 'MEMBER_LOG_INVALID'
}

export const MAX_MEMBER_ENTRY_BYTES = 16 * 1024
const MAX_ADDRESSES = 8

const publicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const nodeId = z.string().regex(NODE_ID)
const ca = z.strictObject({ publicKey, certificate: z.string().max(4_096) })
export const memberName = z.string().regex(NODE_NAME, NODE_NAME_RULE)
export const memberAddresses = z
  .array(z.string().regex(/^[A-Za-z0-9._:[\]-]{3,262}$/, 'must be HOST:PORT'))
  .max(MAX_ADDRESSES)
const eventSchema: z.ZodType<MemberEvent> = z.discriminatedUnion('type', [
  z.object({ type: z.literal('MeshFounded'), name: memberName, ca }),
  z.object({
    type: z.literal('MemberAdded'),
    nodeId,
    publicKey,
    name: memberName,
    role: z.enum(MEMBER_ROLES),
    addresses: memberAddresses,
  }),
  z.object({ type: z.literal('MemberRevoked'), nodeId }),
  z.object({ type: z.literal('CaRotated'), ca }),
  z.object({ type: z.literal('CaRetired'), publicKey }),
])
const bodySchema = z.object({
  meshId: z.string().regex(MESH_ID),
  seq: z.int().positive(),
  prevHash: z.string().nullable(),
  at: z.int().nonnegative(),
  event: eventSchema,
})

/** A mesh is known by the key of its first authority, so a whole log proves itself by the mesh's id alone. */
export function meshIdOf(caPublicKey: string): string {
  const digest = createHash('sha256').update(Buffer.from(caPublicKey, 'base64url')).digest()
  return `mesh_${base32(digest, 26)}`
}

export function emptyMemberState(meshId: string): MemberState {
  return {
    meshId,
    meshName: '',
    seq: 0,
    headHash: null,
    members: new Map(),
    revoked: new Set(),
    homes: new Map(),
    cas: [],
  }
}

/** The next entry of the log, signed by its newest authority. */
export function sealMemberEntry(
  { meshId, seq, headHash }: MemberState,
  event: MemberEvent,
  { at, signer }: { at: number; signer: Signer },
): MemberLogEntry {
  const body = JSON.stringify({ meshId, seq: seq + 1, prevHash: headHash, at, event })
  const hash = sha256(body)
  return { body, hash, signature: signer.sign(entryText(meshId, seq + 1, hash)) }
}

/**
 * The state after one more entry. Throws `MemberLogError` for one that does not follow, or that the newest authority
 * did not sign.
 */
export function applyMemberEntry(state: MemberState, entry: MemberLogEntry, verifier: SignatureVerifier): MemberState {
  const { seq, event, meshId, prevHash, at } = readMemberEntry(entry)
  if (meshId !== state.meshId) throw new MemberLogError('the entry is of another mesh')
  if (sha256(entry.body) !== entry.hash) throw new MemberLogError(`entry ${seq} does not have its hash`)
  if (seq !== state.seq + 1 || prevHash !== state.headHash) {
    throw new MemberLogError(`entry ${seq} does not follow entry ${state.seq}`)
  }
  const signer = event.type === 'MeshFounded' ? event.ca : state.cas.at(-1)
  if (signer === undefined || !isSealedBy(entry, signer.publicKey, verifier)) {
    throw new MemberLogError(`entry ${seq} is not signed by the newest authority of the mesh`)
  }
  return { ...state, ...evolve(state, event, at), seq, headHash: entry.hash }
}

/** Whether this authority signed the entry as it is. */
export function isSealedBy(entry: MemberLogEntry, publicKey: string, verifier: SignatureVerifier): boolean {
  const { meshId, seq } = readMemberEntry(entry)
  return (
    sha256(entry.body) === entry.hash && verifier.verify(entryText(meshId, seq, entry.hash), entry.signature, publicKey)
  )
}

function evolve(state: MemberState, event: MemberEvent, at: number): Partial<MemberState> {
  switch (event.type) {
    case 'MeshFounded':
      if (state.seq !== 0) throw new MemberLogError('a mesh is founded once')
      if (meshIdOf(event.ca.publicKey) !== state.meshId) {
        throw new MemberLogError('the mesh was not founded by this authority')
      }
      return { meshName: event.name, cas: [event.ca] }
    case 'MemberAdded': {
      const { type: _, ...member } = event
      if (nodeIdOf(member.publicKey) !== member.nodeId) {
        throw new MemberLogError(`${member.nodeId} is not the id of its key`)
      }
      if (state.revoked.has(member.nodeId)) throw new MemberLogError(`${member.nodeId} is revoked`)
      if (isNameTaken(state, member)) throw new MemberLogError(`another member is called ${member.name}`)
      const homes = isHomeRole(member.role)
        ? new Map(state.homes).set(member.nodeId, { until: null })
        : ended(state.homes, member.nodeId, at)
      return { members: new Map(state.members).set(member.nodeId, member), homes }
    }
    case 'MemberRevoked': {
      const members = new Map(state.members)
      members.delete(event.nodeId)
      const homes = ended(state.homes, event.nodeId, at)
      return { members, homes, revoked: new Set(state.revoked).add(event.nodeId) }
    }
    case 'CaRotated':
      return { cas: [...state.cas, event.ca] }
    case 'CaRetired': {
      if (event.publicKey === state.cas.at(-1)?.publicKey)
        throw new MemberLogError('the newest authority is not retired: a mesh keeps an authority')
      return { cas: state.cas.filter((authority) => authority.publicKey !== event.publicKey) }
    }
    default: {
      const unknown: never = event
      throw new MemberLogError(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}

/** What an entry says, its shape checked. Throws `MemberLogError`. */
export function readMemberEntry({ body }: MemberLogEntry): z.infer<typeof bodySchema> {
  let json: unknown
  try {
    json = parseExactly(body)
  } catch (cause) {
    if (!(cause instanceof InexactJsonError)) throw cause
    throw new MemberLogError(`an entry ${cause.rule}`, { cause })
  }
  const parsed = bodySchema.safeParse(json)
  if (!parsed.success) throw new MemberLogError(`not an entry of a member log: ${parsed.error.message}`)
  return parsed.data
}

/** A name stands for one member at a time. */
export function isNameTaken(
  { members }: Pick<MemberState, 'members'>,
  { nodeId, name }: Pick<Member, 'nodeId' | 'name'>,
): boolean {
  for (const member of members.values()) if (member.name === name && member.nodeId !== nodeId) return true
  return false
}

/** Replicas and operators open no auctions, and take none over. */
export function isHomeRole(role: MemberRole): boolean {
  return role === 'node' || role === 'gateway'
}

function ended(homes: ReadonlyMap<string, HomeTenure>, nodeId: string, at: number): ReadonlyMap<string, HomeTenure> {
  return homes.get(nodeId)?.until === null ? new Map(homes).set(nodeId, { until: at }) : homes
}

function entryText(meshId: string, seq: number, hash: string): string {
  return ['vendue-member-log-v1', meshId, seq, hash].join('\n')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

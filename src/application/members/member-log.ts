import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  type CaCertificate,
  MEMBER_ROLES,
  type Member,
  type MemberEvent,
  type MemberLogEntry,
} from '../../ports/members/member.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { base32 } from '../log/base32.js'
import { MESH_ID, NODE_ID, nodeIdOf } from '../log/ids.js'

/** Who belongs to a mesh, as its log tells up to some entry. */
export interface MemberState {
  readonly meshId: string
  readonly meshName: string
  readonly seq: number
  readonly headHash: string | null
  readonly members: ReadonlyMap<string, Member>
  /** Node ids that are out for good. */
  readonly revoked: ReadonlySet<string>
  /** Authorities that are trusted, oldest first; the last one signs. */
  readonly cas: readonly CaCertificate[]
}

/** An entry does not belong into the log. */
export class MemberLogError extends Error {
  readonly code = 'MEMBER_LOG_INVALID'
}

export const MAX_MEMBER_ENTRY_BYTES = 16 * 1024
const MAX_ADDRESSES = 8

const publicKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const nodeId = z.string().regex(NODE_ID)
const ca = z.strictObject({ publicKey, certificate: z.string().max(4_096) })
export const memberName = z
  .string()
  .regex(/^[a-z0-9._-]{1,32}$/, 'must be 1 to 32 characters of a-z 0-9 - _ .')
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
    ...{ meshId, meshName: '', seq: 0, headHash: null },
    ...{ members: new Map(), revoked: new Set(), cas: [] },
  }
}

/** The next entry of the log, signed by an authority that the log trusts. */
export function sealMemberEntry(
  { meshId, seq, headHash }: MemberState,
  event: MemberEvent,
  { at, signer }: { at: number; signer: Signer },
): MemberLogEntry {
  const body = JSON.stringify({ meshId, seq: seq + 1, prevHash: headHash, at, event })
  const hash = sha256(body)
  return { body, hash, signature: signer.sign(entryText(meshId, seq + 1, hash)) }
}

/** The state after one more entry. Throws `MemberLogError` for one that does not follow, or that nobody trusted signed. */
export function applyMemberEntry(
  state: MemberState,
  entry: MemberLogEntry,
  verifier: SignatureVerifier,
): MemberState {
  const { seq, event, meshId, prevHash } = readBody(entry)
  if (meshId !== state.meshId) throw new MemberLogError('the entry is of another mesh')
  if (sha256(entry.body) !== entry.hash) throw new MemberLogError(`entry ${seq} does not have its hash`)
  if (seq !== state.seq + 1 || prevHash !== state.headHash) {
    throw new MemberLogError(`entry ${seq} does not follow entry ${state.seq}`)
  }
  const signers = event.type === 'MeshFounded' ? [event.ca] : state.cas
  const text = entryText(meshId, seq, entry.hash)
  if (!signers.some((authority) => verifier.verify(text, entry.signature, authority.publicKey))) {
    throw new MemberLogError(`entry ${seq} is not signed by an authority of the mesh`)
  }
  return { ...state, ...evolve(state, event), seq, headHash: entry.hash }
}

export function seqOf(entry: MemberLogEntry): number {
  return readBody(entry).seq
}

function evolve(state: MemberState, event: MemberEvent): Partial<MemberState> {
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
      return { members: new Map(state.members).set(member.nodeId, member) }
    }
    case 'MemberRevoked': {
      const members = new Map(state.members)
      members.delete(event.nodeId)
      return { members, revoked: new Set(state.revoked).add(event.nodeId) }
    }
    case 'CaRotated':
      return { cas: [...state.cas, event.ca] }
    case 'CaRetired': {
      const cas = state.cas.filter((authority) => authority.publicKey !== event.publicKey)
      if (cas.length === 0) throw new MemberLogError('a mesh keeps an authority')
      return { cas }
    }
    default: {
      const unknown: never = event
      throw new MemberLogError(`unknown event ${JSON.stringify(unknown)}`)
    }
  }
}

function readBody({ body }: MemberLogEntry): z.infer<typeof bodySchema> {
  let json: unknown
  try {
    json = JSON.parse(body)
  } catch (cause) {
    throw new MemberLogError('an entry is JSON', { cause })
  }
  const parsed = bodySchema.safeParse(json)
  if (!parsed.success) throw new MemberLogError(`not an entry of a member log: ${parsed.error.message}`)
  return parsed.data
}

function entryText(meshId: string, seq: number, hash: string): string {
  return ['vendue-member-log-v1', meshId, seq, hash].join('\n')
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

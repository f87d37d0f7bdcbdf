import type { CertificateFacts, CertificateReader } from '../../ports/members/certificates.js'
import type { Member } from '../../ports/members/member.js'
import type { MembershipRepository, MeshMembership } from '../../ports/members/membership-repository.js'
import type { JoinAnswer } from '../../ports/members/mesh-authority.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { Clock } from '../../ports/system/clock.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import type { Authority } from './authority.js'
import { conflictError, MemberLogConflictError } from './member-history.js'
import { MemberList } from './member-list.js'

export interface EnrolDeps {
  readonly repository: MembershipRepository
  readonly reader: CertificateReader
  readonly verifier: SignatureVerifier
  readonly clock: Clock
  /** The mesh's authority, if this user has it on this machine; with `found`, it is founded if there is none. */
  readonly authority: (options: { found: boolean }) => Promise<Authority | null>
}

export interface Enrolled {
  readonly membership: MeshMembership
  readonly facts: CertificateFacts
  readonly memberList: MemberList
  /** Null on the machines of those who joined with a token. */
  readonly authority: Authority | null
}

/**
 * Makes sure that the node is a member of the mesh of that name: with the certificate it has, else with one from the
 * authority on this machine. Rejects with CERTIFICATE_EXPIRED or MEMBER_REVOKED.
 */
export async function enrol(
  deps: EnrolDeps,
  { meshName, member }: { meshName: string; member: Omit<Member, 'role'> & { role: Member['role'] | null } },
): Promise<Enrolled> {
  const { repository, reader, verifier, clock } = deps
  let membership = repository.find(meshName)
  let facts = membership ? readOwn(reader, membership.certificate) : null
  const found = await deps.authority({ found: membership === null })
  const known = membership && new MemberList({ repository, verifier }, membership)
  const isOther = known !== null && found !== null && found.meshId !== known.meshId
  const authority = found && !isOther && agrees(found, known) ? found : null
  if (authority) {
    const role = member.role ?? facts?.role ?? 'node'
    const listed = authority.state().members.get(member.nodeId)
    const isCurrent =
      facts !== null &&
      !isDue(facts, authority.ca.publicKey, clock.now()) &&
      listed?.role === role &&
      facts.role === role &&
      listed.name === member.name &&
      listed.addresses.join() === member.addresses.join()
    if (!isCurrent) {
      const answer = await authority.enrol({ ...member, role })
      membership = adopt(deps, { meshId: authority.meshId, meshName, nodeId: member.nodeId }, answer)
      facts = readOwn(reader, membership.certificate)
    }
  }
  if (!membership || !facts) throw new Error('the node has no certificate')
  const memberList = known ?? new MemberList({ repository, verifier }, membership)
  if (authority) memberList.add(authority.entriesAfter(0))
  if (memberList.isRevoked(member.nodeId)) {
    throw new NodeError('MEMBER_REVOKED', `this node has been put out of the mesh "${meshName}"`, {
      next: 'start it with another data directory and join anew, if you are let in',
    })
  }
  if (clock.now() >= facts.notAfter) {
    throw new NodeError('CERTIFICATE_EXPIRED', "this node's certificate has expired while it was away", {
      next: 'ask for a token (`vendue mesh invite`) and join again with it: `vendue mesh join TOKEN`',
    })
  }
  return { membership, facts, memberList, authority }
}

/**
 * A restored authority catches up with what this node knows. One that has written another history is not used: the node
 * keeps its copy and raises the alarm.
 */
function agrees(authority: Authority, known: MemberList | null): boolean {
  try {
    authority.learn(known?.entriesAfter(0) ?? [])
    return true
  } catch (error) {
    if (!(error instanceof MemberLogConflictError) || known === null) throw error
    known.alarm(error)
    return false
  }
}

/** Stores what an authority has answered, if it is what it should be: CA_MISMATCH otherwise. */
export function adopt(
  { repository, reader, verifier }: Pick<EnrolDeps, 'repository' | 'reader' | 'verifier'>,
  { meshId, meshName, nodeId }: { meshId: string; meshName: string; nodeId: string },
  { certificate, log }: JoinAnswer,
): MeshMembership {
  const memberList = new MemberList({ repository, verifier }, { meshId })
  try {
    memberList.add(log)
  } catch (error) {
    throw error instanceof MemberLogConflictError ? conflictError(error) : error
  }
  const facts = readOwn(reader, certificate)
  const isOurs =
    facts.nodeId === nodeId &&
    facts.meshId === meshId &&
    memberList.cas.some(({ publicKey }) => facts.isSignedBy(publicKey))
  if (!isOurs) throw new NodeError('CA_MISMATCH', 'the certificate that came is not of this mesh, or not ours')
  const membership = { meshId, meshName, certificate }
  repository.save(membership)
  return membership
}

/** Older than two thirds of its life, or signed by an authority that is being replaced. */
export function isDue({ notBefore, notAfter, isSignedBy }: CertificateFacts, ca: string, now: number): boolean {
  return now > notBefore + ((notAfter - notBefore) * 2) / 3 || !isSignedBy(ca)
}

function readOwn(reader: CertificateReader, certificate: string): CertificateFacts {
  const facts = reader.read(certificate)
  if (!facts) throw new NodeError('NOT_A_MEMBER', "the node's certificate cannot be read")
  return facts
}

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ClientTls } from '../../src/adapters/grenache/transport/mesh-tls.js'
import { MEMBERSHIP_FILE, SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { NodeCertificateReader } from '../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { NODES_DIR } from '../../src/adapters/system/running-nodes.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import type { Enrolled } from '../../src/application/members/enrol.js'
import { MemberList } from '../../src/application/members/member-list.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { memberTls } from '../node/node-mesh.js'

/**
 * TLS for a command line that talks to a node of another machine: with the certificate of an operator of this home,
 * or, where the caller has a token, of any member. Rejects with NOT_A_MEMBER where there is none.
 */
export function openMemberTls(home: string, { address, hasToken }: { address: string; hasToken: boolean }): ClientTls {
  const members = dataDirectories(home).flatMap((dataDir) => membersOf(dataDir))
  const operator = members.find(({ facts }) => facts.role === 'operator')
  const member = operator ?? (hasToken ? members[0] : undefined)
  if (member) return memberTls(member.dataDir, member)
  const what = hasToken ? 'a membership of its mesh' : 'its operator token, or the role operator in its mesh,'
  throw new NodeError('NOT_A_MEMBER', `the node at ${address} is not one of this machine, so ${what} is needed`, {
    field: hasToken ? 'rpc' : 'token-file',
    next: hasToken
      ? 'join its mesh first: `vendue mesh join TOKEN --name NAME`'
      : 'give --token-file FILE, set VENDUE_TOKEN, or join the mesh as an operator',
  })
}

function membersOf(dataDir: string): (Omit<Enrolled, 'authority'> & { dataDir: string })[] {
  const repository = SqliteMembershipRepository.open(dataDir)
  try {
    const reader = new NodeCertificateReader()
    return repository.all().flatMap((membership) => {
      const facts = reader.read(membership.certificate)
      if (!facts) return []
      const memberList = new MemberList({ repository, verifier: new Ed25519Verifier() }, membership)
      return systemClock.now() < facts.notAfter ? [{ dataDir, membership, facts, memberList }] : []
    })
  } finally {
    repository.close()
  }
}

function dataDirectories(home: string): string[] {
  const nodes = join(home, NODES_DIR)
  if (!existsSync(nodes)) return []
  return readdirSync(nodes)
    .map((name) => join(nodes, name))
    .filter((dataDir) => existsSync(join(dataDir, MEMBERSHIP_FILE)))
}

import { MeshTls } from '../../src/adapters/grenache/transport/mesh-tls.js'
import { SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { NodeCertificateReader } from '../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier, readNodeKeyPem } from '../../src/adapters/system/node-key.js'
import type { NodeSettings } from '../../src/adapters/system/settings.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { type Enrolled, enrol } from '../../src/application/members/enrol.js'
import type { MemberList } from '../../src/application/members/member-list.js'
import { PeerGate } from '../../src/application/members/peer-gate.js'
import type { CertificateFacts } from '../../src/ports/members/certificates.js'
import type { MemberRole } from '../../src/ports/members/member.js'
import type { MembershipRepository, MeshMembership } from '../../src/ports/members/membership-repository.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { type OpenAuthority, openAuthority } from '../mesh/open-authority.js'

/** A node's place in its mesh. */
export interface NodeMesh extends Enrolled {
  readonly meshName: string
  readonly tls: MeshTls
  readonly repository: MembershipRepository
  /** Where others find this node, as far as that is fixed. */
  readonly addresses: readonly string[]
  close(): void
}

export interface NodeMeshOptions {
  /** What the node is to be, where this user's authority lets it in; `node` otherwise. */
  readonly role?: MemberRole | undefined
  readonly certificateMs?: number | undefined
}

const WILDCARD_HOSTS = ['0.0.0.0', '::']

/** Makes sure that the node is a member of its mesh. Rejects with `NodeError`. */
export async function openNodeMesh(
  settings: NodeSettings,
  signer: Signer,
  { role, certificateMs }: NodeMeshOptions,
): Promise<NodeMesh> {
  const { dataDir, name, meshesDir } = settings
  const repository = SqliteMembershipRepository.open(dataDir)
  const reader = new NodeCertificateReader()
  let opened: OpenAuthority | null = null
  const close = () => {
    opened?.close()
    repository.close()
  }
  try {
    const meshName = meshNameOf(settings, repository)
    const { publicKey } = signer
    const nodeId = nodeIdOf(publicKey)
    const addresses = fixedAddresses(settings)
    const enrolled = await enrol(
      {
        repository,
        reader,
        verifier: new Ed25519Verifier(),
        clock: systemClock,
        async authority({ found }) {
          opened = await openAuthority(meshesDir, meshName, { found, certificateMs })
          return opened?.authority ?? null
        },
      },
      { meshName, member: { nodeId, publicKey, name, addresses, role: role ?? null } },
    )
    const tls = memberTls(dataDir, enrolled)
    return { ...enrolled, meshName, tls, repository, addresses, close }
  } catch (error) {
    close()
    throw error
  }
}

/** TLS with what a data directory holds. */
export function memberTls(
  dataDir: string,
  { membership, facts, memberList }: Pick<Enrolled, 'membership' | 'facts' | 'memberList'>,
): MeshTls {
  const gate = new PeerGate({ clock: systemClock, memberList })
  return new MeshTls({ gate }, tlsMaterial(dataDir, membership, facts, memberList))
}

export function tlsMaterial(
  dataDir: string,
  { certificate }: MeshMembership,
  facts: CertificateFacts,
  { cas }: Pick<MemberList, 'cas'>,
) {
  const signer = cas.findIndex(({ publicKey }) => facts.isSignedBy(publicKey))
  const chain = cas.slice(0, signer + 1).reverse()
  const caCertificate = chain.map((ca) => ca.certificate.trim()).join('\n')
  return { certificate, privateKey: readNodeKeyPem(dataDir), caCertificate }
}

/** A node that has joined a mesh of whatever name takes part in it, unless the settings say otherwise. */
function meshNameOf({ mesh, meshNamed }: NodeSettings, repository: MembershipRepository): string {
  const [only, ...others] = repository.all()
  return meshNamed || !only || others.length > 0 ? mesh : only.meshName
}

function fixedAddresses({ rpc: { host, port } }: NodeSettings): string[] {
  if (port === 0 || WILDCARD_HOSTS.includes(host)) return []
  return [`${host.includes(':') ? `[${host}]` : host}:${port}`]
}

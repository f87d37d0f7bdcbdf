import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { joinAt } from '../../src/adapters/grenache/grenache-mesh-client.js'
import { DATABASE_FILE, prepareDirectory, prepareFile } from '../../src/adapters/sqlite/open-store.js'
import { SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { fingerprintOf, NodeCertificateReader } from '../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier, loadNodeKey, readNodeKeyPem } from '../../src/adapters/system/node-key.js'
import { listRunningNodes, type RunningNode } from '../../src/adapters/system/running-nodes.js'
import { MESHES_DIR } from '../../src/adapters/system/settings.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import type { Authority } from '../../src/application/members/authority.js'
import { adopt } from '../../src/application/members/enrol.js'
import { MemberList } from '../../src/application/members/member-list.js'
import { formatToken, joinText, parseToken } from '../../src/application/members/mesh-token.js'
import type { MembershipRepository } from '../../src/ports/members/membership-repository.js'
import type { JoinedMesh, MeshAdmin, MeshMembers, MeshSummary, Revoked } from '../../src/ports/members/mesh-admin.js'
import type { JoinAnswer, JoinRequest } from '../../src/ports/members/mesh-authority.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { catchUpWithCopies, readCopy } from './member-log-copies.js'
import { openAuthority } from './open-authority.js'

const MAX_TOKEN_ADDRESSES = 8
/** A node looks at the authority every second. */
const HEARD_MS = 5_000
const POLL_MS = 100
const WILDCARD = /^(0\.0\.0\.0|\[::\]):/

/** The meshes of one user's home directory. */
export class HomeMeshAdmin implements MeshAdmin {
  readonly #home: string

  constructor({ home }: { home: string }) {
    this.#home = home
  }

  async init(meshName: string) {
    const isNew = !existsSync(join(this.#meshesDir, meshName))
    return this.#with(meshName, { found: true }, (authority) => ({ ...summaryOf(authority), isNew }))
  }

  invite(meshName: string, options: Parameters<MeshAdmin['invite']>[1]) {
    return this.#with(meshName, { found: true }, (authority) => {
      const addresses = options.addresses.length > 0 ? options.addresses : this.#addressesOf(authority)
      const { meshId, caFingerprint } = summaryOf(authority)
      if (addresses.length === 0) {
        throw new NodeError('INVALID_INPUT', 'nobody could reach this mesh: no node of it runs here', {
          field: 'address',
          next: 'start a node with --rpc ADDRESS:PORT, or say where one is reached with --address HOST:PORT',
        })
      }
      const { role, uses, lifeMs } = options
      const expiresAt = systemClock.now() + lifeMs
      const secret = authority.invite({ role, uses, lifeMs })
      const token = formatToken({ meshId, meshName, caFingerprint, addresses, secret })
      return { token, role, uses, expiresAt, addresses }
    })
  }

  async join(text: string, { dataDir, name, addresses }: Parameters<MeshAdmin['join']>[1]): Promise<JoinedMesh> {
    const token = parseToken(text)
    prepareDirectory(dataDir)
    // A key without a database is that of a node that has lost it.
    prepareFile(join(dataDir, DATABASE_FILE))
    const signer = loadNodeKey(dataDir)
    const nodeId = nodeIdOf(signer.publicKey)
    const { meshId, meshName, caFingerprint, secret } = token
    const repository = SqliteMembershipRepository.open(dataDir)
    try {
      refuseOtherMesh(repository, token)
      const signature = signer.sign(joinText({ meshId, nodeId, secret }))
      const request: JoinRequest = { secret, publicKey: signer.publicKey, name, addresses, signature }
      const answer = await joinAnywhere(token, request, readNodeKeyPem(dataDir))
      const reader = new NodeCertificateReader()
      const verifier = new Ed25519Verifier()
      const { certificate } = adopt({ repository, reader, verifier }, { meshId, meshName, nodeId }, answer)
      const facts = reader.read(certificate)
      if (!facts) throw new Error('the certificate cannot be read')
      const members = new MemberList({ repository, verifier }, { meshId }).members().length
      const { role, notAfter } = facts
      return { meshId, meshName, caFingerprint, hasAuthority: false, nodeId, role, notAfter, members }
    } finally {
      repository.close()
    }
  }

  async members(meshName: string, dataDir: string): Promise<MeshMembers> {
    const opened = await openAuthority(this.#meshesDir, meshName, { found: false })
    if (opened) {
      try {
        catchUpWithCopies(opened.authority, this.#home)
        const { members, revoked } = opened.authority.state()
        return { ...summaryOf(opened.authority), members: [...members.values()], revoked: [...revoked] }
      } finally {
        opened.close()
      }
    }
    if (!existsSync(dataDir)) throw noAuthority(meshName)
    const repository = SqliteMembershipRepository.open(dataDir)
    try {
      const membership = repository.find(meshName) ?? repository.all()[0]
      if (!membership) throw noAuthority(meshName)
      const list = new MemberList({ repository, verifier: new Ed25519Verifier() }, membership)
      const caFingerprint = fingerprintOf(list.cas.at(-1)?.certificate ?? '')
      const { meshId } = membership
      return {
        meshId,
        meshName: membership.meshName,
        caFingerprint,
        hasAuthority: false,
        members: list.members(),
        revoked: list.revoked(),
      }
    } finally {
      repository.close()
    }
  }

  revoke(meshName: string, wanted: string): Promise<Revoked> {
    return this.#with(meshName, { found: false }, async (authority) => {
      const members = [...authority.state().members.values()]
      const exact = members.filter(({ name, nodeId }) => name === wanted || nodeId === wanted)
      const matches = exact.length > 0 ? exact : members.filter(({ nodeId }) => nodeId.startsWith(wanted))
      const [member] = matches
      if (!member) {
        const next = 'see `vendue mesh members`'
        throw new NodeError('NOT_A_MEMBER', `no member of "${meshName}" is called that`, {
          field: 'what',
          next,
        })
      }
      if (matches.length > 1) {
        const ids = matches.map(({ nodeId }) => nodeId).join(', ')
        throw new NodeError('INVALID_INPUT', `several members are meant by that: ${ids}`, {
          field: 'what',
          next: 'give the node id',
        })
      }
      authority.revoke(member.nodeId)
      return { ...member, isHeard: await this.#isHeard(authority) }
    })
  }

  async rotateCa(meshName: string): Promise<MeshSummary> {
    return this.#with(meshName, { found: false }, async (authority) => {
      await authority.rotateCa()
      return summaryOf(authority)
    })
  }

  get #meshesDir(): string {
    return join(this.#home, MESHES_DIR)
  }

  async #with<T>(
    meshName: string,
    options: { found: boolean },
    work: (authority: Authority) => T | Promise<T>,
  ): Promise<T> {
    const opened = await openAuthority(this.#meshesDir, meshName, options)
    if (!opened) throw noAuthority(meshName)
    try {
      catchUpWithCopies(opened.authority, this.#home)
      return await work(opened.authority)
    } finally {
      opened.close()
    }
  }

  /** Whether a node here has taken what the authority wrote last; false where none runs. */
  async #isHeard(authority: Authority): Promise<boolean> {
    const running = this.#running(authority)
    const [newest] = authority.entriesAfter(authority.version - 1)
    for (let waitedMs = 0; running.length > 0 && waitedMs < HEARD_MS; waitedMs += POLL_MS) {
      const takes = ({ dataDir }: RunningNode) =>
        readCopy(dataDir, authority.meshId)?.some(({ hash }) => hash === newest?.hash) ?? false
      if (running.some(takes)) return true
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    if (running.length === 0) return false
    const names = running.map(({ name }) => name).join(', ')
    throw new NodeError(
      'OUTCOME_UNKNOWN',
      `it is written, and ${names}, running here, has not taken it in ${HEARD_MS / 1_000} s`,
      {
        next: `restart ${names}, in case it uses an authority.db that has been replaced; then look at \`vendue mesh members\``,
      },
    )
  }

  #running({ meshId }: Authority): RunningNode[] {
    return listRunningNodes(this.#home).filter((node) => node.meshId === meshId)
  }

  /** Of this machine's nodes in the mesh, then of others with fixed addresses. */
  #addressesOf(authority: Authority): string[] {
    const running = this.#running(authority).map(({ address }) => address)
    const listed = [...authority.state().members.values()].flatMap((member) => member.addresses)
    const reachable = [...new Set([...running, ...listed])].filter((address) => !WILDCARD.test(address))
    return reachable.slice(0, MAX_TOKEN_ADDRESSES)
  }
}

function summaryOf(authority: Authority): MeshSummary {
  const { meshId, meshName, ca } = authority
  return { meshId, meshName, caFingerprint: fingerprintOf(ca.certificate), hasAuthority: true }
}

/** A name stands for one mesh in a data directory. */
function refuseOtherMesh(
  repository: MembershipRepository,
  { meshId, meshName }: { meshId: string; meshName: string },
): void {
  const known = repository.find(meshName)
  if (!known || known.meshId === meshId) return
  throw new NodeError('OTHER_MESH', `this node is a member of another mesh called "${meshName}"`, {
    next: 'join with a node of its own: --name NAME',
  })
}

/** The first member that can let us in. What says most about a failure is thrown. */
async function joinAnywhere(
  { addresses, meshId, caFingerprint }: ReturnType<typeof parseToken>,
  request: JoinRequest,
  privateKey: string,
): Promise<JoinAnswer> {
  let failure: NodeError | null = null
  for (const address of addresses) {
    try {
      return await joinAt(address, { meshId, caFingerprint }, request, privateKey)
    } catch (error) {
      if (!(error instanceof NodeError) || !MAY_WORK_ELSEWHERE.includes(error.code)) throw error
      if (!failure || failure.code === 'NODE_UNREACHABLE') failure = error
    }
  }
  throw failure ?? new NodeError('NODE_UNREACHABLE', 'the token names no member')
}

const MAY_WORK_ELSEWHERE: readonly string[] = ['NODE_UNREACHABLE', 'NO_AUTHORITY', 'CA_MISMATCH', 'STOPPING']

function noAuthority(meshName: string): NodeError {
  return new NodeError('NO_AUTHORITY', `this machine does not have the authority of a mesh "${meshName}"`, {
    field: 'mesh',
    next: 'go to the machine where it was made, or name another with --mesh',
  })
}

import { join } from 'node:path'
import { HomeMeshAdmin } from '../../services/mesh/mesh-admin.js'
import { memberTls } from '../../services/node/node-mesh.js'
import { parseAddress } from '../../src/adapters/grenache/transport/address.js'
import { MeshTls } from '../../src/adapters/grenache/transport/mesh-tls.js'
import { AUTHORITY_FILE, SqliteAuthorityStore } from '../../src/adapters/sqlite/sqlite-authority-store.js'
import { SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { NodeCertificateReader } from '../../src/adapters/system/certificate-reader.js'
import { Ed25519Verifier, loadNodeKey, readNodeKeyPem } from '../../src/adapters/system/node-key.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { MemberList } from '../../src/application/members/member-list.js'
import { PeerGate } from '../../src/application/members/peer-gate.js'
import type { MemberRole } from '../../src/ports/members/member.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { Signer } from '../../src/ports/system/signer.js'
import { callRaw, errorOf } from '../adapters/grenache/fakes.js'
import { NodeProcess, untilConnected } from './node-process.js'
import { makeTempHome } from './temp-home.js'
import { TestAuthority, type TestMember } from './test-authority.js'

const DAY_MS = 86_400_000
export const MESH = 'test'
export const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']

/** A member gone bad: it has its key and a good certificate, and says what it likes with them. */
export interface Insider {
  readonly dataDir: string
  readonly nodeId: string
  readonly signer: Signer
  readonly certificate: string
  readonly privateKey: string
  /** Lets in whom its mesh lets in. */
  readonly tls: MeshTls
}

/** Real nodes, each a process, and the means to attack them from inside and outside. */
export class AttackedMesh {
  readonly home: string
  /** Of the attackers: none of the mesh's files are there. */
  readonly elsewhere: string
  readonly admin: HomeMeshAdmin
  readonly nodes: NodeProcess[] = []
  readonly #undo: (() => unknown)[] = []

  private constructor() {
    const [home, elsewhere] = [makeTempHome(), makeTempHome()]
    this.#undo.push(home.remove, elsewhere.remove)
    this.home = home.home
    this.elsewhere = elsewhere.home
    this.admin = new HomeMeshAdmin({ home: home.home })
  }

  static async start(
    names: readonly string[],
    options: { readonly logLevel?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<AttackedMesh> {
    const mesh = new AttackedMesh()
    try {
      for (const name of names) await mesh.startNode({ name, ...options })
      await untilConnected(mesh.nodes)
    } catch (error) {
      await mesh.stop()
      throw error
    }
    return mesh
  }

  async startNode(
    options: Partial<ConstructorParameters<typeof NodeProcess>[0]> & { name: string },
  ): Promise<NodeProcess> {
    const node = await NodeProcess.start({ home: this.home, args: FREE_PORTS, ...options })
    this.nodes.push(node)
    return node
  }

  node(i: number): NodeProcess {
    const node = this.nodes[i]
    if (!node) throw new Error(`there is no node ${i}`)
    return node
  }

  /** Undone before the nodes are ended, last first. */
  later(undo: () => unknown): void {
    this.#undo.push(undo)
  }

  async stop(): Promise<void> {
    for (const undo of this.#undo.splice(2).reverse()) await undo()
    await Promise.all(this.nodes.map((node) => node.end()))
    for (const undo of this.#undo.splice(0)) await undo()
  }

  async token(options: { role?: MemberRole; uses?: number; addresses?: string[] } = {}): Promise<string> {
    const { role = 'node', uses = 1, addresses = [] } = options
    return (await this.admin.invite(MESH, { role, uses, lifeMs: DAY_MS, addresses })).token
  }

  /** Joins as any other would. */
  async join(name: string, options: { role?: MemberRole; token?: string } = {}): Promise<Insider> {
    const dataDir = join(this.elsewhere, 'nodes', name)
    const token = options.token ?? (await this.token(options))
    await new HomeMeshAdmin({ home: this.elsewhere }).join(token, { dataDir, name, addresses: [] })
    return insiderOf(dataDir)
  }

  /** With the real authority's key, as whoever stole it: for certificates that the authority would not give. */
  stolenAuthority(): TestAuthority {
    const store = SqliteAuthorityStore.open(join(this.home, 'meshes', MESH, AUTHORITY_FILE))
    try {
      const ca = store.transact((records) => records.cas().at(-1))
      if (!ca) throw new Error('the mesh has no authority')
      return new TestAuthority(ca)
    } finally {
      store.close()
    }
  }
}

/** What a data directory makes of whoever has it. */
export function insiderOf(dataDir: string): Insider {
  const signer = loadNodeKey(dataDir)
  const repository = SqliteMembershipRepository.open(dataDir)
  try {
    const membership = repository.find(MESH)
    const facts = membership && new NodeCertificateReader().read(membership.certificate)
    if (!membership || !facts) throw new Error('there is no certificate')
    const memberList = new MemberList({ repository, verifier: new Ed25519Verifier() }, membership)
    const { certificate } = membership
    const tls = memberTls(dataDir, { membership, facts, memberList })
    const nodeId = nodeIdOf(signer.publicKey)
    return { dataDir, nodeId, signer, certificate, privateKey: readNodeKeyPem(dataDir), tls }
  } finally {
    repository.close()
  }
}

/** Shows this certificate to servers, and is not choosy itself. */
export function showing(
  { certificate, privateKey }: Pick<TestMember, 'certificate' | 'privateKey'>,
  authority: Pick<TestAuthority, 'meshId' | 'ca'>,
): MeshTls {
  const { meshId, ca } = authority
  const memberList = { meshId, cas: [ca], isRevoked: () => false, member: () => null }
  const gate = new PeerGate({ clock: systemClock, memberList })
  return new MeshTls({ gate }, { certificate, privateKey, caCertificate: ca.certificate })
}

export async function infoOf(node: NodeProcess): Promise<NodeInfo> {
  return (await node.api.status()).node
}

export async function portOf(node: NodeProcess): Promise<number> {
  const address = parseAddress((await infoOf(node)).address)
  if (!address) throw new Error('the node has no address')
  return address.port
}

/** What the node answers: `ok`, or the code of its error. */
export async function say(
  node: NodeProcess,
  rpc: string,
  params: unknown,
  as: Pick<MeshTls, 'connectOptions'> | null,
  token?: string,
): Promise<string> {
  const payload = token === undefined ? { params } : { params, token }
  const answer = (await callRaw(await portOf(node), rpc, payload, as)) as { ok: boolean }
  return answer.ok ? 'ok' : errorOf(answer).code
}

/** An auction of that node, known to all of them. */
export async function openAuction(node: NodeProcess, more: object = {}): Promise<string> {
  const { outcome } = await node.api.open({
    commandId: `cmd_${Math.random().toString(36).slice(2).padEnd(12, '0')}`,
    title: 'Lot',
    currency: 'EUR',
    start: '10',
    increment: '1',
    ...more,
  })
  return outcome.auctionId
}

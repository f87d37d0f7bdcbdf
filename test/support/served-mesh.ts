import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { silentLogger } from './silent-logger.js'
import { makeTempDir } from './temp-dir.js'
import { TestGateway } from './test-gateway.js'
import { createTestMesh, type TestMesh } from './test-mesh.js'

/** A mesh that people reach through gateways: the first of its nodes have one each. */
export interface ServedMesh {
  readonly mesh: TestMesh
  readonly gateways: readonly [TestGateway, ...TestGateway[]]
  /** Of all gateways; null where they take names on trust. */
  readonly accounts: GatewayAccounts | null
  stop(): Promise<void>
}

export interface ServedMeshOptions {
  readonly nodes?: number
  readonly gateways?: number
  readonly nameOf?: (place: number) => string
  /** Puts something into their home directory before they start. */
  readonly prepare?: (home: string) => Promise<void>
  /** Where people have none they are believed whom they say they are. */
  readonly withAccounts?: boolean
}

export async function serveMesh({
  nodes = 1,
  gateways = 1,
  nameOf,
  prepare,
  withAccounts = false,
}: ServedMeshOptions): Promise<ServedMesh> {
  const dir = makeTempDir()
  const closing = [async () => dir.remove()]
  const stop = async () => {
    for (const close of closing.splice(0).reverse()) await close()
  }
  try {
    const mesh = await createTestMesh(nodes, nameOf, prepare)
    closing.push(mesh.stop)
    const accounts = withAccounts ? await openAccounts(dir.path, {}, { logger: silentLogger }) : null
    if (accounts) closing.push(() => accounts.close())
    const all: TestGateway[] = []
    for (const node of mesh.nodes.slice(0, gateways)) {
      const gateway = await TestGateway.start(node, {}, { metrics: node.metrics, ...accounts?.parts })
      closing.push(() => gateway.stop())
      all.push(gateway)
    }
    return { mesh, gateways: all as [TestGateway, ...TestGateway[]], accounts, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

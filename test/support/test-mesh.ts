import { createNode, type VendueNode } from '../../services/node/create-node.js'
import { eventually } from './eventually.js'
import { silentLogger } from './silent-logger.js'
import { makeTempHome } from './temp-home.js'
import { testSettings } from './test-settings.js'

export interface TestMesh {
  readonly nodes: readonly VendueNode[]
  /** Where their data lies: a process of its own joins them with this as its home. */
  readonly home: string
  /** Another node that joins the mesh; the same name again is the same node come back. */
  join(name: string): Promise<VendueNode>
  stop(): Promise<void>
}

/**
 * A mesh of `count` whole nodes in this process: real Grapes, sockets and SQLite files, each node seeing all others.
 * `prepare`: puts something into their home directory before they start.
 */
export async function createTestMesh(
  count: number,
  nameOf: (place: number) => string = (place) => `node-${place}`,
  prepare: (home: string) => Promise<void> = async () => {},
): Promise<TestMesh> {
  const { home, remove } = makeTempHome()
  const nodes: VendueNode[] = []
  const join = async (name: string) => {
    const bootstrap = nodes.flatMap(({ info }) => info.dhtAddress ?? [])
    const node = createNode(testSettings({ home, name, bootstrap }), { logger: silentLogger })
    await node.start()
    nodes.push(node)
    return node
  }
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()))
    remove()
  }
  try {
    await prepare(home)
    for (let i = 1; i <= count; i++) await join(nameOf(i))
    for (const node of nodes) {
      await eventually(`${node.info.name} sees ${count - 1} peers`, async () => {
        return (await node.api.peers()).filter(({ state }) => state === 'alive').length >= count - 1
      })
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { nodes, home, join, stop }
}

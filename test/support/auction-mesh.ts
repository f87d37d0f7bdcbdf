import type { OpenRequest } from '../../src/ports/node/node-requests.js'
import { ManualTime, settle } from './manual-time.js'
import { MemoryNetwork } from './memory-network.js'
import { type MemoryNode, startMemoryNodes } from './memory-node.js'

export interface AuctionMesh {
  readonly time: ManualTime
  readonly network: MemoryNetwork
  readonly nodes: MemoryNode[]
  /** Of the first node. */
  readonly auction: string
}

/**
 * Nodes of these names, and an auction of the first one: in yen, from 10 on, in steps of 1. The test has to stop them.
 */
export async function startAuctionMesh(names: readonly string[]): Promise<AuctionMesh> {
  const time = new ManualTime()
  const network = new MemoryNetwork()
  const nodes = await startMemoryNodes(network, time, names)
  const auction = await openInYen(nodes[0] as MemoryNode)
  return { time, network, nodes, auction }
}

export async function openInYen({ api }: Pick<MemoryNode, 'api'>, more: Partial<OpenRequest> = {}): Promise<string> {
  const terms = { title: 'Pic#1', currency: 'JPY', start: '10', increment: '1' }
  const { outcome } = await api.open({ commandId: 'cmd_open0001', ...terms, ...more })
  await settle()
  return outcome.auctionId
}

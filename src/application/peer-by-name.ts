import type { Home } from '../domain/party.js'
import { NodeError } from '../ports/node-api.js'
import type { PeerTable } from './peer-table.js'

/** The reachable peer of that name, id, or unambiguous start of an id. Throws `NodeError`. */
export function reachablePeer(peerTable: Pick<PeerTable, 'reachable'>, text: string): Home {
  const peers = peerTable.reachable().map(({ info }) => info)
  const found = peers.filter(
    ({ nodeId, name }) =>
      name === text || nodeId.startsWith(text.startsWith('node_') ? text : `node_${text}`),
  )
  const [peer, ...others] = found
  if (peer === undefined)
    throw new NodeError('NODE_UNREACHABLE', `no reachable peer is called "${text}"`, {
      field: 'peer',
      next: 'see `vendue peers` for those there are',
    })
  if (others.length > 0)
    throw new NodeError('INVALID_INPUT', `${found.length} peers are called "${text}"`, {
      field: 'peer',
      next: `give more of the id: ${found.map(({ nodeId }) => nodeId).join(', ')}`,
    })
  return { nodeId: peer.nodeId, publicKey: peer.publicKey }
}

import type { Home } from '../../domain/party.js'
import type { NodeInfo } from '../../ports/mesh/peer-client.js'
import { NodeError } from '../../ports/node/node-api.js'
import { timeText } from '../log/time-text.js'
import type { PeerTable } from './peer-table.js'

/** The reachable peer of that name, id, or unambiguous start of an id. Throws `NodeError`. */
export function reachablePeer(
  peerTable: Pick<PeerTable, 'all' | 'reachable'>,
  text: string,
  self: NodeInfo,
): Home {
  const found = peerTable
    .reachable()
    .map(({ info }) => info)
    .filter((info) => isCalled(info, text))
  const [peer, ...others] = found
  if (peer === undefined) throw notReachable(peerTable, text, self)
  if (others.length > 0)
    throw new NodeError('INVALID_INPUT', `${found.length} peers are called "${text}"`, {
      field: 'peer',
      next: `give more of the id: ${found.map(({ nodeId }) => nodeId).join(', ')}`,
    })
  return { nodeId: peer.nodeId, publicKey: peer.publicKey }
}

function notReachable(peerTable: Pick<PeerTable, 'all'>, text: string, self: NodeInfo): NodeError {
  const next = 'see `vendue peers` for those there are'
  if (isCalled(self, text))
    return new NodeError('INVALID_INPUT', `${self.name} is this node itself`, { field: 'peer', next })
  const away = peerTable.all().find(({ info }) => isCalled(info, text))
  if (away === undefined)
    return new NodeError('NODE_UNREACHABLE', `no reachable peer is called "${text}"`, { field: 'peer', next })
  const seen = timeText(away.lastSeenAt)
  const message = `${away.info.name} cannot be reached: it is ${away.state}, last seen ${seen}`
  return new NodeError('NODE_UNREACHABLE', message, { field: 'peer', next })
}

function isCalled({ nodeId, name }: NodeInfo, text: string): boolean {
  return name === text || nodeId.startsWith(text.startsWith('node_') ? text : `node_${text}`)
}

import type { Home } from '../../domain/party.js'
import type { Member } from '../../ports/members/member.js'
import type { MemberDirectory } from '../../ports/members/member-directory.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { NodeInfo } from '../../ports/node/node-info.js'
import { timeText } from '../log/time-text.js'
import type { PeerTable } from './peer-table.js'

export interface PeerByNameDeps {
  readonly members: Pick<MemberDirectory, 'members'>
  readonly peerTable: Pick<PeerTable, 'get' | 'whereabouts'>
}

/**
 * Finds a reachable member by name, id, or unambiguous start of an id. Names are those of the member list: what a peer
 * calls itself does not count, least of all while the one that is meant is away. Throws `NodeError`.
 */
export function reachablePeer({ members, peerTable }: PeerByNameDeps, text: string, self: NodeInfo): Home {
  const next = 'see `vendue mesh members` for those there are, and `vendue peers` for who can be reached'
  const found = members.members().filter((member) => isCalled(member, text))
  const [member, ...others] = found
  if (member === undefined)
    throw new NodeError('NODE_UNREACHABLE', `no member of the mesh is called "${text}"`, {
      field: 'peer',
      next,
    })
  if (others.length > 0)
    throw new NodeError('INVALID_INPUT', `${found.length} members are called "${text}"`, {
      field: 'peer',
      next: `give more of the id: ${found.map(({ nodeId }) => nodeId).join(', ')}`,
    })
  if (member.nodeId === self.nodeId)
    throw new NodeError('INVALID_INPUT', `${member.name} is this node itself`, { field: 'peer', next })
  if (peerTable.whereabouts(member.nodeId) === null) throw notReachable(member, peerTable, next)
  return { nodeId: member.nodeId, publicKey: member.publicKey }
}

function notReachable({ nodeId, name }: Member, peerTable: Pick<PeerTable, 'get'>, next: string): NodeError {
  const seen = peerTable.get(nodeId)
  const since = seen
    ? `it is ${seen.state}, last seen ${timeText(seen.lastSeenAt)}`
    : 'it has not been seen since this node started'
  return new NodeError('NODE_UNREACHABLE', `${name} cannot be reached: ${since}`, { field: 'peer', next })
}

function isCalled({ nodeId, name }: Member, text: string): boolean {
  return name === text || nodeId.startsWith(text.startsWith('node_') ? text : `node_${text}`)
}

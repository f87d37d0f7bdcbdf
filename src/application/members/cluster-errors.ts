import { NodeError } from '../../ports/node/node-error.js'

/** A node cannot leave its cluster yet. */
export function nobodyTakesOver(): NodeError {
  return new NodeError('NOBODY_TAKES_OVER', 'this node is the home of auctions that no other node takes over', {
    next: 'start another node of the cluster, see with `vendue cluster nodes` there that it is alive, and ask again',
  })
}

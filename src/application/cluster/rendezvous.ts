import { hash } from 'node:crypto'

/**
 * In which order these nodes are to take an auction over: every node comes to the same order by itself, a node's
 * absence moves nobody else's auctions, and the auctions of one spread over all others (rendezvous hashing, Thaler and
 * Ravishankar 1998).
 */
export function rendezvous(auctionId: string, nodeIds: readonly string[]): string[] {
  const weights = new Map(nodeIds.map((nodeId) => [nodeId, hash('sha256', `${nodeId}\n${auctionId}`, 'hex')]))
  const weightOf = (nodeId: string) => weights.get(nodeId) as string
  return [...weights.keys()].sort((a, b) => (weightOf(a) > weightOf(b) ? -1 : 1))
}

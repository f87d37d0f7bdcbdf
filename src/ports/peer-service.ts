import type { Commit } from '../domain/commit.js'
import type { AuctionHead } from './event-log.js'
import type { NodeInfo, RemoteCommand, SubmitResult } from './peer-client.js'

/** What a node serves to its peers: the other side of `PeerClient`. */
export interface PeerService {
  /** Makes the caller known here, and tells who else is. */
  hello(caller: NodeInfo): Promise<{ node: NodeInfo; peers: NodeInfo[] }>
  ping(caller: NodeInfo): Promise<{ nodeId: string; incarnation: number }>
  goodbye(caller: NodeInfo): Promise<void>
  /** Decides commands for auctions whose home is this node; one result per command, in order. */
  submit(commands: readonly RemoteCommand[]): Promise<SubmitResult[]>
  /** Takes in commits that the peer `from` has written or stored; checks them before it believes them. */
  pushCommits(from: string, commits: readonly Commit[]): Promise<void>
  pullCommits(auctionId: string, fromSeq: number): Promise<{ commits: Commit[]; head: AuctionHead | null }>
  heads(afterId: string | null): Promise<{ heads: AuctionHead[]; next: string | null }>
}

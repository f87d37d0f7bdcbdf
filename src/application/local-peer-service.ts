import type { Commit } from '../domain/commit.js'
import type { AuctionRepository } from '../ports/auction-repository.js'
import type { AuctionHead, EventLog } from '../ports/event-log.js'
import type { Logger } from '../ports/logger.js'
import type { NodeInfo, RemoteCommand, SubmitResult } from '../ports/peer-client.js'
import type { PeerService } from '../ports/peer-service.js'
import type { AuctionHouse } from './auction-house.js'
import type { Membership } from './membership.js'
import type { PeerTable } from './peer-table.js'
import type { Replicator } from './replicator.js'
import type { Syncer } from './syncer.js'

export interface LocalPeerServiceDeps {
  readonly auctionHouse: AuctionHouse
  readonly auctions: Pick<AuctionRepository, 'find'>
  readonly eventLog: Pick<EventLog, 'read' | 'heads'>
  readonly membership: Membership
  readonly peerTable: PeerTable
  readonly replicator: Replicator
  readonly syncer: Syncer
  readonly logger: Logger
}

/** Peers named in an answer to a hello. */
const MAX_PEERS_TOLD = 100
const HEADS_PAGE = 1_000
const PULL_LIMIT = { commits: 256, bytes: 4 * 1024 * 1024 }

/** What this node does for its peers. */
export class LocalPeerService implements PeerService {
  readonly #deps: LocalPeerServiceDeps
  /** This node as it introduces itself; known once its RPC server listens. */
  readonly #self: () => NodeInfo

  constructor(deps: LocalPeerServiceDeps, self: () => NodeInfo) {
    this.#deps = deps
    this.#self = self
  }

  hello(caller: NodeInfo): Promise<{ node: NodeInfo; peers: NodeInfo[] }> {
    this.#deps.membership.met(caller)
    const peers = this.#deps.peerTable.reachable().slice(0, MAX_PEERS_TOLD)
    return Promise.resolve({ node: this.#self(), peers: peers.map(({ info }) => info) })
  }

  ping(caller: NodeInfo): Promise<{ nodeId: string; incarnation: number }> {
    this.#deps.membership.met(caller)
    const { nodeId, incarnation } = this.#self()
    return Promise.resolve({ nodeId, incarnation })
  }

  goodbye(caller: NodeInfo): Promise<void> {
    const peer = this.#deps.peerTable.get(caller.nodeId)
    // An old goodbye must not put out a node that has come back since.
    if (peer?.info.incarnation === caller.incarnation) this.#deps.peerTable.left(caller.nodeId)
    return Promise.resolve()
  }

  submit(commands: readonly RemoteCommand[]): Promise<SubmitResult[]> {
    return Promise.all(commands.map((command) => this.#deps.auctionHouse.submit(command)))
  }

  async pushCommits(from: string, commits: readonly Commit[]): Promise<void> {
    const { gaps } = await this.#deps.replicator.ingest(commits)
    for (const { auctionId, fromSeq } of gaps) {
      this.#deps.logger.debug(
        { auctionId, fromSeq, from },
        'commits are missing before those pushed; pulling',
      )
      void this.#deps.syncer.pull(from, auctionId, fromSeq)
    }
  }

  async pullCommits(
    auctionId: string,
    fromSeq: number,
  ): Promise<{ commits: Commit[]; head: AuctionHead | null }> {
    const stored = await this.#deps.eventLog.read(auctionId, fromSeq, PULL_LIMIT)
    const record = await this.#deps.auctions.find(auctionId)
    return {
      commits: stored.map(({ position: _, ...commit }) => commit),
      head: record && { auctionId, ...record.head },
    }
  }

  async heads(afterId: string | null): Promise<{ heads: AuctionHead[]; next: string | null }> {
    const heads = await this.#deps.eventLog.heads(afterId, HEADS_PAGE)
    return { heads, next: heads.length === HEADS_PAGE ? (heads.at(-1)?.auctionId ?? null) : null }
  }
}

import type { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import type { Budgets } from '../../src/application/budgets/budgets.js'
import type { Cluster } from '../../src/application/cluster/cluster.js'
import type { ClusterLog } from '../../src/application/cluster/cluster-log.js'
import type { ClusterMeasures } from '../../src/application/cluster/cluster-measures.js'
import type { ClusterMembership } from '../../src/application/cluster/cluster-membership.js'
import type { OwnCopies } from '../../src/application/cluster/own-copies.js'
import type { PeerComparison } from '../../src/application/cluster/peer-comparison.js'
import type { SharedAuctions } from '../../src/application/cluster/shared-auctions.js'
import type { SignedRefusals } from '../../src/application/cluster/signed-refusals.js'
import type { Takeovers } from '../../src/application/cluster/takeovers.js'
import type { AutoBidder } from '../../src/application/commands/auto-bidder.js'
import type { CommandRouter } from '../../src/application/commands/command-router.js'
import type { MovingAuctions } from '../../src/application/commands/moving-auctions.js'
import type { ReceiptKeeper } from '../../src/application/commands/receipt-keeper.js'
import type { HandoverGiver } from '../../src/application/handover/handover-giver.js'
import type { HandoverTaker } from '../../src/application/handover/handover-taker.js'
import type { AuctionHouse } from '../../src/application/home/auction-house.js'
import type { FirstComparison } from '../../src/application/home/first-comparison.js'
import type { HomeClock } from '../../src/application/home/home-clock.js'
import type { HomeLog } from '../../src/application/home/home-log.js'
import type { Outages } from '../../src/application/home/outages.js'
import type { Feed } from '../../src/application/log/feed.js'
import type { HeldAuctions } from '../../src/application/log/held-auctions.js'
import type { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import type { Membership } from '../../src/application/mesh/membership.js'
import type { NodeIdentity } from '../../src/application/mesh/node-identity.js'
import type { PeerTable } from '../../src/application/mesh/peer-table.js'
import type { AuctionViews } from '../../src/application/node/auction-view.js'
import type { PictureFetcher } from '../../src/application/pictures/picture-fetcher.js'
import type { PictureKeeper } from '../../src/application/pictures/picture-keeper.js'
import type { Pictures } from '../../src/application/pictures/pictures.js'
import type { EquivocationWatch } from '../../src/application/proof/equivocation-watch.js'
import type { ReceiptWatch } from '../../src/application/proof/receipt-watch.js'
import type { SignatureMender } from '../../src/application/proof/signature-mender.js'
import type { Recovery } from '../../src/application/recovery/recovery.js'
import type { CommitPusher } from '../../src/application/replication/commit-pusher.js'
import type { HeadsDigest } from '../../src/application/replication/heads-digest.js'
import type { PeerRefusals } from '../../src/application/replication/peer-refusals.js'
import type { RefusedCommits } from '../../src/application/replication/refused-commits.js'
import type { Replication } from '../../src/application/replication/replication.js'
import type { Replicator } from '../../src/application/replication/replicator.js'
import type { Syncer } from '../../src/application/replication/syncer.js'
import type { Party } from '../../src/domain/party.js'
import type { Audit } from '../../src/ports/audit/audit.js'
import type { AuditReader } from '../../src/ports/audit/audit-store.js'
import type { MemberDirectory } from '../../src/ports/members/member-directory.js'
import type { MemberNews } from '../../src/ports/members/member-news.js'
import type { Discovery } from '../../src/ports/mesh/discovery.js'
import type { MandateChecker } from '../../src/ports/mesh/mandate-checker.js'
import type { PeerClient } from '../../src/ports/mesh/peer-client.js'
import type { PeerService } from '../../src/ports/mesh/peer-service.js'
import type { EventFeed } from '../../src/ports/node/event-feed.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { AuctionRepository, SecretRepository } from '../../src/ports/store/auction-repository.js'
import type { AutoBidRepository } from '../../src/ports/store/auto-bid-repository.js'
import type { BreachRepository } from '../../src/ports/store/breach-repository.js'
import type { ConsumerStatus } from '../../src/ports/store/consumer-status.js'
import type { EquivocationRepository } from '../../src/ports/store/equivocation-repository.js'
import type { HandoverRepository } from '../../src/ports/store/handover-repository.js'
import type { OutcomeRepository } from '../../src/ports/store/outcome-repository.js'
import type { ParticipationRepository } from '../../src/ports/store/participation-repository.js'
import type { PeerRepository } from '../../src/ports/store/peer-repository.js'
import type { PictureStore } from '../../src/ports/store/picture-store.js'
import type { ReceiptRepository } from '../../src/ports/store/receipt-repository.js'
import type { StatReader } from '../../src/ports/store/stat-reader.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Heartbeat } from '../../src/ports/system/heartbeat.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics } from '../../src/ports/system/metrics.js'
import type { Random } from '../../src/ports/system/random.js'
import type { BulkVerifier, Signer } from '../../src/ports/system/signer.js'
import type { Timers } from '../../src/ports/system/timers.js'
import type { ServiceContainer } from '../container.js'

/** Who this node is; its addresses are known once it listens. */
export interface Self {
  readonly party: Party
  info(): NodeInfo
  /** By its role in the mesh it reads and verifies, and writes nothing. */
  readonly isReader?: boolean
}

/** Everything a node is made of. */
export interface NodeParts {
  // Ports
  readonly clock: Clock
  readonly heartbeat: Heartbeat
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  readonly metrics: Metrics
  readonly audit: Audit
  readonly auditReader: Pick<AuditReader, 'rows'>
  readonly budgets: Budgets
  readonly signer: Signer
  readonly verifier: BulkVerifier
  readonly mandateChecker: MandateChecker
  readonly discovery: Discovery
  readonly peerClient: PeerClient
  readonly members: MemberDirectory
  /** Null if the node belongs to no cluster. */
  readonly clusterSigner: ClusterSigner | null
  readonly memberNews: MemberNews
  readonly rpcClient: RpcClient
  readonly outcomes: OutcomeRepository
  readonly auctions: AuctionRepository
  readonly secrets: SecretRepository
  readonly handovers: HandoverRepository
  readonly autoBids: AutoBidRepository
  readonly participations: ParticipationRepository
  readonly peerRepository: PeerRepository
  readonly receipts: ReceiptRepository
  readonly breaches: BreachRepository
  readonly equivocations: EquivocationRepository
  readonly pictureStore: PictureStore
  /** Null: the node computes no statistics. */
  readonly statReader: StatReader | null
  /** How the services fare that the node runs beside it. */
  readonly consumerStatuses: () => readonly ConsumerStatus[]
  // Application
  readonly self: Self
  readonly eventLog: PublishingEventLog
  /** What homes write to, and decide by. */
  readonly homeLog: HomeLog
  readonly homeOutcomes: OutcomeRepository
  readonly homeSecrets: SecretRepository
  readonly homeHandovers: HandoverRepository
  /** Null if the node belongs to none; then there is nothing of what follows. */
  readonly cluster: Cluster | null
  readonly clusterNodes: Pick<ClusterMembership, 'has'>
  readonly clusterMembership: ClusterMembership
  readonly signedRefusals: SignedRefusals
  readonly takeovers: Takeovers
  readonly peerComparison: PeerComparison
  readonly clusterMeasures: ClusterMeasures
  readonly ownCopies: OwnCopies
  readonly sharedAuctions: SharedAuctions
  readonly clusterLog: ClusterLog
  readonly identity: NodeIdentity
  readonly peerTable: PeerTable
  readonly replication: Replication
  readonly handoverGiver: HandoverGiver
  readonly handoverTaker: HandoverTaker
  readonly membership: Membership
  readonly heldAuctions: HeldAuctions
  readonly recovery: Recovery
  readonly firstComparison: FirstComparison
  readonly homeClock: HomeClock
  readonly outages: Outages
  readonly auctionHouse: AuctionHouse
  readonly feed: Feed
  readonly eventFeed: EventFeed
  readonly router: CommandRouter
  readonly movingAuctions: MovingAuctions
  readonly autoBidder: AutoBidder
  readonly headsDigest: HeadsDigest
  readonly peerRefusals: PeerRefusals
  readonly refusedCommits: RefusedCommits
  readonly replicator: Replicator
  readonly equivocationWatch: EquivocationWatch
  readonly signatureMender: SignatureMender
  readonly receiptWatch: ReceiptWatch
  readonly receiptKeeper: ReceiptKeeper
  readonly syncer: Syncer
  readonly pusher: CommitPusher
  readonly auctionViews: AuctionViews
  readonly pictureFetcher: PictureFetcher
  readonly pictures: Pictures
  readonly pictureKeeper: PictureKeeper
  readonly peerService: PeerService
  readonly nodeApi: NodeApi
}

export type NodeServices = ServiceContainer<NodeParts>

import type { RpcClient } from '../../src/adapters/grenache/rpc-client.js'
import type { Budgets } from '../../src/application/budgets/budgets.js'
import type { AutoBidder } from '../../src/application/commands/auto-bidder.js'
import type { CommandRouter } from '../../src/application/commands/command-router.js'
import type { ReceiptKeeper } from '../../src/application/commands/receipt-keeper.js'
import type { HandoverGiver } from '../../src/application/handover/handover-giver.js'
import type { HandoverTaker } from '../../src/application/handover/handover-taker.js'
import type { AuctionHouse } from '../../src/application/home/auction-house.js'
import type { FirstComparison } from '../../src/application/home/first-comparison.js'
import type { HomeClock } from '../../src/application/home/home-clock.js'
import type { Outages } from '../../src/application/home/outages.js'
import type { Feed } from '../../src/application/log/feed.js'
import type { HeldAuctions } from '../../src/application/log/held-auctions.js'
import type { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import type { Membership } from '../../src/application/mesh/membership.js'
import type { NodeIdentity } from '../../src/application/mesh/node-identity.js'
import type { PeerTable } from '../../src/application/mesh/peer-table.js'
import type { AuctionViews } from '../../src/application/node/auction-view.js'
import type { EquivocationWatch } from '../../src/application/proof/equivocation-watch.js'
import type { ReceiptWatch } from '../../src/application/proof/receipt-watch.js'
import type { SignatureMender } from '../../src/application/proof/signature-mender.js'
import type { CommitPusher } from '../../src/application/replication/commit-pusher.js'
import type { HeadsDigest } from '../../src/application/replication/heads-digest.js'
import type { PeerRefusals } from '../../src/application/replication/peer-refusals.js'
import type { RefusedCommits } from '../../src/application/replication/refused-commits.js'
import type { Replication } from '../../src/application/replication/replication.js'
import type { Replicator } from '../../src/application/replication/replicator.js'
import type { Syncer } from '../../src/application/replication/syncer.js'
import type { Party } from '../../src/domain/party.js'
import type { MemberDirectory } from '../../src/ports/members/member-directory.js'
import type { MemberNews } from '../../src/ports/members/member-news.js'
import type { Discovery } from '../../src/ports/mesh/discovery.js'
import type { OrderChecker } from '../../src/ports/mesh/order-checker.js'
import type { PeerClient } from '../../src/ports/mesh/peer-client.js'
import type { PeerService } from '../../src/ports/mesh/peer-service.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { NodeInfo } from '../../src/ports/node/node-info.js'
import type { AuctionRepository, SecretRepository } from '../../src/ports/store/auction-repository.js'
import type { AutoBidRepository } from '../../src/ports/store/auto-bid-repository.js'
import type { BreachRepository } from '../../src/ports/store/breach-repository.js'
import type { EquivocationRepository } from '../../src/ports/store/equivocation-repository.js'
import type { HandoverRepository } from '../../src/ports/store/handover-repository.js'
import type { OutcomeRepository } from '../../src/ports/store/outcome-repository.js'
import type { ParticipationRepository } from '../../src/ports/store/participation-repository.js'
import type { PeerRepository } from '../../src/ports/store/peer-repository.js'
import type { ReceiptRepository } from '../../src/ports/store/receipt-repository.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { Heartbeat } from '../../src/ports/system/heartbeat.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Metrics } from '../../src/ports/system/metrics.js'
import type { Random } from '../../src/ports/system/random.js'
import type { SignatureVerifier, Signer } from '../../src/ports/system/signer.js'
import type { Timers } from '../../src/ports/system/timers.js'
import { Token } from '../tokens.js'

/** Who this node is; its addresses are known once it listens. */
export interface Self {
  readonly party: Party
  info(): NodeInfo
  /** By its role in the mesh it reads and verifies, and writes nothing. */
  readonly isReader?: boolean
}

/** Everything a node is made of. */
export const tokens = {
  // Ports
  clock: new Token<Clock>('clock'),
  heartbeat: new Token<Heartbeat>('heartbeat'),
  timers: new Token<Timers>('timers'),
  random: new Token<Random>('random'),
  logger: new Token<Logger>('logger'),
  metrics: new Token<Metrics>('metrics'),
  budgets: new Token<Budgets>('budgets'),
  signer: new Token<Signer>('signer'),
  verifier: new Token<SignatureVerifier>('verifier'),
  orderChecker: new Token<OrderChecker>('orderChecker'),
  discovery: new Token<Discovery>('discovery'),
  peerClient: new Token<PeerClient>('peerClient'),
  members: new Token<MemberDirectory>('members'),
  memberNews: new Token<MemberNews>('memberNews'),
  rpcClient: new Token<RpcClient>('rpcClient'),
  outcomes: new Token<OutcomeRepository>('outcomes'),
  auctions: new Token<AuctionRepository>('auctions'),
  secrets: new Token<SecretRepository>('secrets'),
  handovers: new Token<HandoverRepository>('handovers'),
  autoBids: new Token<AutoBidRepository>('autoBids'),
  participations: new Token<ParticipationRepository>('participations'),
  peerRepository: new Token<PeerRepository>('peerRepository'),
  receipts: new Token<ReceiptRepository>('receipts'),
  breaches: new Token<BreachRepository>('breaches'),
  equivocations: new Token<EquivocationRepository>('equivocations'),
  // Application
  self: new Token<Self>('self'),
  eventLog: new Token<PublishingEventLog>('eventLog'),
  identity: new Token<NodeIdentity>('identity'),
  peerTable: new Token<PeerTable>('peerTable'),
  replication: new Token<Replication>('replication'),
  handoverGiver: new Token<HandoverGiver>('handoverGiver'),
  handoverTaker: new Token<HandoverTaker>('handoverTaker'),
  membership: new Token<Membership>('membership'),
  heldAuctions: new Token<HeldAuctions>('heldAuctions'),
  firstComparison: new Token<FirstComparison>('firstComparison'),
  homeClock: new Token<HomeClock>('homeClock'),
  outages: new Token<Outages>('outages'),
  auctionHouse: new Token<AuctionHouse>('auctionHouse'),
  feed: new Token<Feed>('feed'),
  router: new Token<CommandRouter>('router'),
  autoBidder: new Token<AutoBidder>('autoBidder'),
  headsDigest: new Token<HeadsDigest>('headsDigest'),
  peerRefusals: new Token<PeerRefusals>('peerRefusals'),
  refusedCommits: new Token<RefusedCommits>('refusedCommits'),
  replicator: new Token<Replicator>('replicator'),
  equivocationWatch: new Token<EquivocationWatch>('equivocationWatch'),
  signatureMender: new Token<SignatureMender>('signatureMender'),
  receiptWatch: new Token<ReceiptWatch>('receiptWatch'),
  receiptKeeper: new Token<ReceiptKeeper>('receiptKeeper'),
  syncer: new Token<Syncer>('syncer'),
  pusher: new Token<CommitPusher>('pusher'),
  auctionViews: new Token<AuctionViews>('auctionViews'),
  peerService: new Token<PeerService>('peerService'),
  nodeApi: new Token<NodeApi>('nodeApi'),
} as const

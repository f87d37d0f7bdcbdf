import { AutoBidder } from '../../src/application/commands/auto-bidder.js'
import { CommandRouter } from '../../src/application/commands/command-router.js'
import { MovingAuctions } from '../../src/application/commands/moving-auctions.js'
import { ReceiptKeeper } from '../../src/application/commands/receipt-keeper.js'
import { AuctionHouse } from '../../src/application/home/auction-house.js'
import { FirstComparison } from '../../src/application/home/first-comparison.js'
import { HomeClock } from '../../src/application/home/home-clock.js'
import { Outages } from '../../src/application/home/outages.js'
import { HeldAuctions } from '../../src/application/log/held-auctions.js'
import { AuctionViews } from '../../src/application/node/auction-view.js'
import { LocalNodeCommands } from '../../src/application/node/local-node-commands.js'
import { LocalNodeQueries } from '../../src/application/node/local-node-queries.js'
import { LocalPeerService } from '../../src/application/node/local-peer-service.js'
import { checkedNodeApi } from '../../src/application/node/node-methods.js'
import { NO_AUDIT } from '../../src/ports/audit/audit.js'
import type { Store } from '../../src/ports/store/store.js'
import { NO_METRICS } from '../../src/ports/system/metrics.js'
import { composeCluster } from './compose-cluster.js'
import { composeMesh, composeProof, composeReplication } from './compose-mesh.js'
import { composeMoves } from './compose-moves.js'
import type { ComposeOptions } from './compose-options.js'
import { composePictures } from './compose-pictures.js'
import type { NodeServices } from './node-parts.js'

/** Registers the application of a node over whatever adapters the container holds for its ports. */
export function composeNode(services: NodeServices, options: ComposeOptions): void {
  services
    .value('metrics', options.metrics ?? NO_METRICS)
    .value('statReader', options.consumers?.statReader ?? null)
    .value('consumerStatuses', options.consumers?.statuses ?? (() => []))
    .value('audit', options.audited?.audit ?? NO_AUDIT)
    .value('auditReader', options.audited?.reader ?? { rows: () => [] })
  composeMesh(services, options)
  composeReplication(services, options)
  composeProof(services)
  composePictures(services)
  composeCluster(services, options)
  composeHome(services, options)
  composeMoves(services)
  composeCommands(services)
  composeService(services, options)
}

/** Registers what a store holds. */
export function provideStore(services: NodeServices, store: Store): void {
  services
    .value('outcomes', store.outcomes)
    .value('auctions', store.auctions)
    .value('secrets', store.secrets)
    .value('handovers', store.handovers)
    .value('autoBids', store.autoBids)
    .value('participations', store.participations)
    .value('peerRepository', store.peers)
    .value('receipts', store.receipts)
    .value('equivocations', store.equivocations)
    .value('breaches', store.breaches)
}

/** The one writer of an auction, and how it moves. */
function composeHome(services: NodeServices, options: ComposeOptions): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory('homeClock', () => new HomeClock({ clock: parts.clock, logger: parts.logger }))
    .factory(
      'outages',
      () =>
        new Outages({
          timers: parts.timers,
          heartbeat: parts.heartbeat,
          logger: parts.logger,
          clock: parts.homeClock,
        }),
    )
    .factory('heldAuctions', () => new HeldAuctions({ logger: parts.logger, clock: parts.homeClock }))
    .factory(
      'firstComparison',
      () =>
        new FirstComparison(
          {
            clock: parts.clock,
            logger: parts.logger,
            members: parts.members,
            peerRepository: parts.peerRepository,
            syncer: parts.syncer,
            timers: parts.timers,
          },
          {
            peerWaitMs: options.peerWaitMs,
          },
        ),
    )
    .factory(
      'auctionHouse',
      () =>
        new AuctionHouse(
          {
            budgets: parts.budgets,
            timers: parts.timers,
            signer: parts.signer,
            logger: parts.logger,
            metrics: parts.metrics,
            eventLog: parts.homeLog,
            outcomes: parts.homeOutcomes,
            auctions: parts.auctions,
            secrets: parts.homeSecrets,
            equivocations: parts.equivocations,
            replication: parts.replication,
            outages: parts.outages,
            heldAuctions: parts.heldAuctions,
            firstComparison: parts.firstComparison,
            clusterNodes: parts.clusterNodes,
            clock: parts.homeClock,
          },
          nodeId(),
        ),
    )
}

/** Bringing commands to their homes. */
function composeCommands(services: NodeServices): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory(
      'receiptKeeper',
      () =>
        new ReceiptKeeper({
          receipts: parts.receipts,
          receiptWatch: parts.receiptWatch,
          timers: parts.timers,
          logger: parts.logger,
        }),
    )
    .factory(
      'router',
      () =>
        new CommandRouter(
          {
            auctions: parts.auctions,
            auctionHouse: parts.auctionHouse,
            eventLog: parts.eventLog,
            movingAuctions: parts.movingAuctions,
            peerTable: parts.peerTable,
            peerClient: parts.peerClient,
            receiptKeeper: parts.receiptKeeper,
            signer: parts.signer,
            verifier: parts.verifier,
            clock: parts.clock,
            timers: parts.timers,
            logger: parts.logger,
            metrics: parts.metrics,
          },
          { ...nodeId(), isShared: ({ cluster }) => cluster !== null },
        ),
    )
    .factory('movingAuctions', () => new MovingAuctions({ clock: parts.clock, timers: parts.timers }))
    .factory(
      'autoBidder',
      () =>
        new AutoBidder(
          {
            clock: parts.clock,
            timers: parts.timers,
            random: parts.random,
            logger: parts.logger,
            auctions: parts.auctions,
            autoBids: parts.autoBids,
            participations: parts.participations,
            router: parts.router,
            eventLog: parts.eventLog,
            firstComparison: parts.firstComparison,
            heldAuctions: parts.heldAuctions,
          },
          parts.self.party,
        ),
    )
}

/** What the node does for its user and its peers. */
function composeService(services: NodeServices, options: ComposeOptions): void {
  const { parts } = services
  services
    .factory(
      'auctionViews',
      () =>
        new AuctionViews(
          {
            auctions: parts.auctions,
            autoBidder: parts.autoBidder,
            breaches: parts.breaches,
            equivocations: parts.equivocations,
            logger: parts.logger,
            participations: parts.participations,
            peerTable: parts.peerTable,
            clock: parts.homeClock,
          },
          parts.self.party,
        ),
    )
    .factory(
      'peerService',
      () =>
        new LocalPeerService({
          auctionHouse: parts.auctionHouse,
          auctions: parts.auctions,
          budgets: parts.budgets,
          clock: parts.clock,
          equivocationWatch: parts.equivocationWatch,
          eventLog: parts.eventLog,
          handoverTaker: parts.handoverTaker,
          headsDigest: parts.headsDigest,
          membership: parts.membership,
          pictures: parts.pictures,
          peerRefusals: parts.peerRefusals,
          refusedCommits: parts.refusedCommits,
          replicator: parts.replicator,
          signer: parts.signer,
          verifier: parts.verifier,
          syncer: parts.syncer,
          logger: parts.logger,
        }),
    )
    .factory('nodeApi', () => {
      const { party, info } = parts.self
      const commands = new LocalNodeCommands(
        {
          auctionHouse: parts.auctionHouse,
          auctions: parts.auctions,
          auctionViews: parts.auctionViews,
          autoBidder: parts.autoBidder,
          clusterSigner: parts.clusterSigner,
          handoverGiver: parts.handoverGiver,
          heldAuctions: parts.heldAuctions,
          homeClock: parts.homeClock,
          homeLog: parts.homeLog,
          logger: parts.logger,
          members: parts.members,
          participations: parts.participations,
          peerTable: parts.peerTable,
          pictures: parts.pictures,
          random: parts.random,
          recovery: parts.recovery,
          router: parts.router,
          signer: parts.signer,
        },
        { self: party, info, ...options },
      )
      const queries = new LocalNodeQueries(
        {
          auctionHouse: parts.auctionHouse,
          auctions: parts.auctions,
          auctionViews: parts.auctionViews,
          auditReader: parts.auditReader,
          autoBidder: parts.autoBidder,
          breaches: parts.breaches,
          budgets: parts.budgets,
          clock: parts.clock,
          discovery: parts.discovery,
          equivocations: parts.equivocations,
          eventLog: parts.eventLog,
          feed: parts.feed,
          firstComparison: parts.firstComparison,
          heldAuctions: parts.heldAuctions,
          homeClock: parts.homeClock,
          members: parts.members,
          movingAuctions: parts.movingAuctions,
          peerTable: parts.peerTable,
          pictures: parts.pictures,
          receiptKeeper: parts.receiptKeeper,
          receipts: parts.receipts,
          receiptWatch: parts.receiptWatch,
          secrets: parts.secrets,
          signatureMender: parts.signatureMender,
          signer: parts.signer,
          syncer: parts.syncer,
          timers: parts.timers,
        },
        {
          info,
          ...options,
          cluster: () => parts.cluster?.status ?? null,
          consumers: () => parts.consumerStatuses(),
        },
      )
      return checkedNodeApi(commands, queries)
    })
}

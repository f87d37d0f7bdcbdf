import { Cluster } from '../../src/application/cluster/cluster.js'
import { ClusterLog } from '../../src/application/cluster/cluster-log.js'
import { ClusterMeasures } from '../../src/application/cluster/cluster-measures.js'
import { ClusterMembership } from '../../src/application/cluster/cluster-membership.js'
import { OwnCopies } from '../../src/application/cluster/own-copies.js'
import { PeerComparison } from '../../src/application/cluster/peer-comparison.js'
import { SharedAuctions } from '../../src/application/cluster/shared-auctions.js'
import { SignedRefusals } from '../../src/application/cluster/signed-refusals.js'
import { Takeovers } from '../../src/application/cluster/takeovers.js'
import { ownHomeLog } from '../../src/application/home/home-log.js'
import { isOfCluster } from '../../src/application/log/cluster-keys.js'
import type { OpenedAuction } from '../../src/domain/auction.js'
import type { ClusterOptions, ComposeOptions } from './compose-options.js'
import type { NodeServices } from './node-parts.js'

/** What homes write to: the node's own store, or the log that it shares with its cluster. */
export function composeCluster(services: NodeServices, { cluster }: ComposeOptions): void {
  services.value('clusterSigner', cluster?.signer ?? null)
  if (cluster === undefined) ownLog(services)
  else shareLog(services, cluster)
}

function ownLog(services: NodeServices): void {
  const { parts } = services
  services
    .factory('homeLog', () => ownHomeLog(parts.eventLog))
    .factory('homeOutcomes', () => parts.outcomes)
    .factory('homeSecrets', () => parts.secrets)
    .factory('homeHandovers', () => parts.handovers)
    .value('cluster', null)
    .value('clusterNodes', { has: () => false })
}

function shareLog(services: NodeServices, { sharedLog, signer: clusterSigner }: ClusterOptions): void {
  const isShared = (state: OpenedAuction) => isOfCluster(state, clusterSigner)
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory('clusterMeasures', () => new ClusterMeasures(parts.metrics))
    .factory(
      'ownCopies',
      () =>
        new OwnCopies({
          eventLog: parts.eventLog,
          handovers: parts.handovers,
          outcomes: parts.outcomes,
          timers: parts.timers,
          logger: parts.logger,
        }),
    )
    .factory(
      'sharedAuctions',
      () =>
        new SharedAuctions(
          {
            sharedLog,
            auctions: parts.auctions,
            equivocationWatch: parts.equivocationWatch,
            eventLog: parts.eventLog,
            handovers: parts.handovers,
            heldAuctions: parts.heldAuctions,
            measures: parts.clusterMeasures,
            outcomes: parts.outcomes,
            ownCopies: parts.ownCopies,
            replicator: parts.replicator,
            secrets: parts.secrets,
            logger: parts.logger,
          },
          { ...nodeId(), isShared },
        ),
    )
    .factory(
      'signedRefusals',
      () =>
        new SignedRefusals(
          { auctions: parts.auctions, receipts: parts.receipts, sharedLog },
          { ...nodeId(), isShared },
        ),
    )
    .factory(
      'peerComparison',
      () => new PeerComparison({ firstComparison: parts.firstComparison, syncer: parts.syncer, timers: parts.timers }),
    )
    .factory(
      'clusterLog',
      () =>
        new ClusterLog(
          {
            sharedLog,
            auctions: parts.auctions,
            clock: parts.clock,
            eventLog: parts.eventLog,
            handovers: parts.handovers,
            measures: parts.clusterMeasures,
            peerComparison: parts.peerComparison,
            outcomes: parts.outcomes,
            ownCopies: parts.ownCopies,
            secrets: parts.secrets,
            sharedAuctions: parts.sharedAuctions,
            timers: parts.timers,
            logger: parts.logger,
          },
          {
            ...nodeId(),
            isShared,
            goOnWithoutLost: (auctionId) => parts.recovery.goOnWithoutLost(auctionId),
          },
        ),
    )
    .factory(
      'clusterMembership',
      () =>
        new ClusterMembership(
          {
            sharedLog,
            clock: parts.homeClock,
            measures: parts.clusterMeasures,
            outages: parts.outages,
            timers: parts.timers,
            logger: parts.logger,
          },
          { self: () => parts.self.info() },
        ),
    )
    .factory(
      'takeovers',
      () =>
        new Takeovers(
          {
            sharedLog,
            clusterSigner,
            auctions: parts.auctions,
            clock: parts.homeClock,
            clusterLog: parts.clusterLog,
            equivocations: parts.equivocations,
            measures: parts.clusterMeasures,
            peerComparison: parts.peerComparison,
            sharedAuctions: parts.sharedAuctions,
            signer: parts.signer,
            logger: parts.logger,
          },
          nodeId(),
        ),
    )
    .factory(
      'cluster',
      () =>
        new Cluster(
          {
            sharedLog,
            clusterSigner,
            auctions: parts.auctions,
            clusterLog: parts.clusterLog,
            clusterMembership: parts.clusterMembership,
            eventLog: parts.eventLog,
            ownCopies: parts.ownCopies,
            peerComparison: parts.peerComparison,
            sharedAuctions: parts.sharedAuctions,
            signedRefusals: parts.signedRefusals,
            takeovers: parts.takeovers,
            timers: parts.timers,
            logger: parts.logger,
          },
          nodeId(),
        ),
    )
    .factory('clusterNodes', () => parts.clusterMembership)
    .factory('homeLog', () => parts.clusterLog)
    .factory('homeOutcomes', () => parts.clusterLog)
    .factory('homeSecrets', () => parts.clusterLog)
    .factory('homeHandovers', () => parts.clusterLog)
}

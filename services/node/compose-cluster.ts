import { ClusterLog } from '../../src/application/cluster/cluster-log.js'
import { ClusterMeasures } from '../../src/application/cluster/cluster-measures.js'
import { OwnCopies } from '../../src/application/cluster/own-copies.js'
import { SharedAuctions } from '../../src/application/cluster/shared-auctions.js'
import { ownHomeLog } from '../../src/application/home/home-log.js'
import type { ClusterOptions, ComposeOptions } from './compose-options.js'
import type { NodeServices } from './node-parts.js'

/** What homes write to: the node's own store, or the log that it shares with its cluster. */
export function composeCluster(services: NodeServices, { cluster }: ComposeOptions): void {
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
}

function shareLog(services: NodeServices, { sharedLog, isShared }: ClusterOptions): void {
  const { parts } = services
  services
    .factory('clusterMeasures', () => new ClusterMeasures(parts.metrics))
    .factory('ownCopies', () => new OwnCopies({ eventLog: parts.eventLog, timers: parts.timers, logger: parts.logger }))
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
          { isShared },
        ),
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
            outages: parts.outages,
            outcomes: parts.outcomes,
            ownCopies: parts.ownCopies,
            secrets: parts.secrets,
            sharedAuctions: parts.sharedAuctions,
            timers: parts.timers,
            logger: parts.logger,
          },
          { nodeId: parts.self.party.id, isShared },
        ),
    )
    .factory('homeLog', () => parts.clusterLog)
    .factory('homeOutcomes', () => parts.clusterLog)
    .factory('homeSecrets', () => parts.clusterLog)
    .factory('homeHandovers', () => parts.clusterLog)
}

import { HandoverGiver } from '../../src/application/handover/handover-giver.js'
import { HandoverTaker } from '../../src/application/handover/handover-taker.js'
import { Recovery } from '../../src/application/recovery/recovery.js'
import type { NodeServices } from './node-parts.js'

/** How an auction moves to another home, and how one comes back to its own. */
export function composeMoves(services: NodeServices): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory(
      'handoverGiver',
      () =>
        new HandoverGiver(
          {
            auctionHouse: parts.auctionHouse,
            clusterNodes: parts.clusterNodes,
            clusterSigner: parts.clusterSigner,
            handovers: parts.homeHandovers,
            peerClient: parts.peerClient,
            peerTable: parts.peerTable,
            replication: parts.replication,
            signer: parts.signer,
            verifier: parts.verifier,
            logger: parts.logger,
          },
          nodeId(),
        ),
    )
    .factory(
      'recovery',
      () =>
        new Recovery(
          {
            auctionHouse: parts.auctionHouse,
            auctions: parts.auctions,
            clock: parts.homeClock,
            eventLog: parts.homeLog,
            handovers: parts.handovers,
            heldAuctions: parts.heldAuctions,
            logger: parts.logger,
            members: parts.members,
            mandateChecker: parts.mandateChecker,
            outages: parts.outages,
            outcomes: parts.outcomes,
            peerClient: parts.peerClient,
            peerTable: parts.peerTable,
            replicator: parts.replicator,
            secrets: parts.secrets,
            signer: parts.signer,
            verifier: parts.verifier,
          },
          nodeId(),
        ),
    )
    .factory(
      'handoverTaker',
      () =>
        new HandoverTaker(
          {
            auctionHouse: parts.auctionHouse,
            auctions: parts.auctions,
            budgets: parts.budgets,
            clusterSigner: parts.clusterSigner,
            eventLog: parts.eventLog,
            handovers: parts.handovers,
            outcomes: parts.outcomes,
            secrets: parts.secrets,
            signer: parts.signer,
            syncer: parts.syncer,
            verifier: parts.verifier,
            logger: parts.logger,
          },
          { ...nodeId(), isReader: parts.self.isReader ?? false },
        ),
    )
}

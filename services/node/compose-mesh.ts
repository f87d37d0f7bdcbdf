import { Budgets } from '../../src/application/budgets/budgets.js'
import { isOfCluster } from '../../src/application/log/cluster-keys.js'
import { Feed } from '../../src/application/log/feed.js'
import { Membership } from '../../src/application/mesh/membership.js'
import { NodeIdentity } from '../../src/application/mesh/node-identity.js'
import { PeerTable } from '../../src/application/mesh/peer-table.js'
import { LocalEventFeed } from '../../src/application/node/local-event-feed.js'
import { EquivocationWatch } from '../../src/application/proof/equivocation-watch.js'
import { ReceiptWatch } from '../../src/application/proof/receipt-watch.js'
import { SignatureMender } from '../../src/application/proof/signature-mender.js'
import { CommitPusher } from '../../src/application/replication/commit-pusher.js'
import { HeadsDigest } from '../../src/application/replication/heads-digest.js'
import { PeerRefusals } from '../../src/application/replication/peer-refusals.js'
import { RefusedCommits } from '../../src/application/replication/refused-commits.js'
import { Replication } from '../../src/application/replication/replication.js'
import { Replicator } from '../../src/application/replication/replicator.js'
import { Syncer } from '../../src/application/replication/syncer.js'
import type { ComposeOptions } from './compose-options.js'
import type { NodeServices } from './node-parts.js'

/** Who is out there, and what each of them may use up. */
export function composeMesh(services: NodeServices, options: ComposeOptions): void {
  const { parts } = services
  services
    .factory(
      'budgets',
      () => new Budgets({ clock: parts.clock, logger: parts.logger, metrics: parts.metrics }, options.budgets),
    )
    .factory(
      'identity',
      () =>
        new NodeIdentity(
          { clock: parts.clock, random: parts.random, signer: parts.signer, verifier: parts.verifier },
          {
            meshId: parts.members.meshId,
            info: () => parts.self.info(),
          },
        ),
    )
    .factory('peerTable', () => new PeerTable({ clock: parts.clock, members: parts.members }))
    .factory(
      'membership',
      () =>
        new Membership(
          {
            budgets: parts.budgets,
            clock: parts.clock,
            timers: parts.timers,
            random: parts.random,
            logger: parts.logger,
            discovery: parts.discovery,
            identity: parts.identity,
            peerClient: parts.peerClient,
            peerRepository: parts.peerRepository,
            peerTable: parts.peerTable,
          },
          { onKeyInUse: options.fail },
        ),
    )
}

/** Keeping copies. */
export function composeReplication(services: NodeServices, { cluster }: ComposeOptions): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory(
      'replication',
      () =>
        new Replication({
          peerClient: parts.peerClient,
          peerTable: parts.peerTable,
          timers: parts.timers,
          logger: parts.logger,
        }),
    )
    .factory(
      'replicator',
      () =>
        new Replicator(
          {
            budgets: parts.budgets,
            eventLog: parts.eventLog,
            auctions: parts.auctions,
            clock: parts.clock,
            equivocationWatch: parts.equivocationWatch,
            heldAuctions: parts.heldAuctions,
            members: parts.members,
            memberNews: parts.memberNews,
            mandateChecker: parts.mandateChecker,
            random: parts.random,
            verifier: parts.verifier,
            logger: parts.logger,
          },
          { ...nodeId(), isShared: cluster && ((state) => isOfCluster(state, cluster.signer)) },
        ),
    )
    .factory('headsDigest', () => new HeadsDigest({ eventLog: parts.eventLog }))
    .factory(
      'peerRefusals',
      () =>
        new PeerRefusals(
          { auctions: parts.auctions, clock: parts.clock, logger: parts.logger, peerTable: parts.peerTable },
          nodeId(),
        ),
    )
    .factory(
      'refusedCommits',
      () =>
        new RefusedCommits(
          {
            auctions: parts.auctions,
            clock: parts.clock,
            equivocations: parts.equivocations,
            eventLog: parts.eventLog,
            logger: parts.logger,
            peerClient: parts.peerClient,
            peerTable: parts.peerTable,
            verifier: parts.verifier,
          },
          nodeId(),
        ),
    )
    .factory(
      'syncer',
      () =>
        new Syncer({
          budgets: parts.budgets,
          clock: parts.clock,
          peerClient: parts.peerClient,
          peerTable: parts.peerTable,
          eventLog: parts.eventLog,
          headsDigest: parts.headsDigest,
          peerRefusals: parts.peerRefusals,
          refusedCommits: parts.refusedCommits,
          replicator: parts.replicator,
          random: parts.random,
          timers: parts.timers,
          logger: parts.logger,
        }),
    )
    .factory(
      'pusher',
      () =>
        new CommitPusher(
          {
            peerClient: parts.peerClient,
            peerTable: parts.peerTable,
            replication: parts.replication,
            signer: parts.signer,
            eventLog: parts.eventLog,
            timers: parts.timers,
            logger: parts.logger,
          },
          nodeId(),
        ),
    )
    .factory('feed', () => new Feed({ eventLog: parts.eventLog }))
    .factory(
      'eventFeed',
      () =>
        new LocalEventFeed({
          breaches: parts.breaches,
          equivocations: parts.equivocations,
          eventLog: parts.eventLog,
          feed: parts.feed,
        }),
    )
}

/** Showing what happened. */
export function composeProof(services: NodeServices): void {
  const { parts } = services
  const nodeId = () => ({ nodeId: parts.self.party.id })
  services
    .factory(
      'signatureMender',
      () =>
        new SignatureMender({
          eventLog: parts.eventLog,
          peerClient: parts.peerClient,
          peerTable: parts.peerTable,
          signer: parts.signer,
          verifier: parts.verifier,
          logger: parts.logger,
        }),
    )
    .factory(
      'receiptWatch',
      () =>
        new ReceiptWatch({
          auctions: parts.auctions,
          breaches: parts.breaches,
          eventLog: parts.eventLog,
          receipts: parts.receipts,
          logger: parts.logger,
        }),
    )
    .factory(
      'equivocationWatch',
      () =>
        new EquivocationWatch(
          {
            budgets: parts.budgets,
            eventLog: parts.eventLog,
            auctions: parts.auctions,
            equivocations: parts.equivocations,
            heldAuctions: parts.heldAuctions,
            peerClient: parts.peerClient,
            peerTable: parts.peerTable,
            signatureMender: parts.signatureMender,
            verifier: parts.verifier,
            logger: parts.logger,
          },
          nodeId(),
        ),
    )
}

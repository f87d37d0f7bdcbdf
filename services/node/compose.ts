import { Budgets } from '../../src/application/budgets/budgets.js'
import type { BudgetName } from '../../src/application/budgets/sender-budgets.js'
import { AutoBidder } from '../../src/application/commands/auto-bidder.js'
import { CommandRouter } from '../../src/application/commands/command-router.js'
import { ReceiptKeeper } from '../../src/application/commands/receipt-keeper.js'
import { HandoverGiver } from '../../src/application/handover/handover-giver.js'
import { HandoverTaker } from '../../src/application/handover/handover-taker.js'
import { AuctionHouse } from '../../src/application/home/auction-house.js'
import { FirstComparison } from '../../src/application/home/first-comparison.js'
import { HomeClock } from '../../src/application/home/home-clock.js'
import { Outages } from '../../src/application/home/outages.js'
import { Feed } from '../../src/application/log/feed.js'
import { HeldAuctions } from '../../src/application/log/held-auctions.js'
import { Membership } from '../../src/application/mesh/membership.js'
import { NodeIdentity } from '../../src/application/mesh/node-identity.js'
import { PeerTable } from '../../src/application/mesh/peer-table.js'
import { AuctionViews } from '../../src/application/node/auction-view.js'
import { LocalNodeCommands } from '../../src/application/node/local-node-commands.js'
import { LocalNodeQueries } from '../../src/application/node/local-node-queries.js'
import { LocalPeerService } from '../../src/application/node/local-peer-service.js'
import { checkedNodeApi } from '../../src/application/node/node-methods.js'
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
import type { HandshakeCounts } from '../../src/ports/node/node-status.js'
import type { Store } from '../../src/ports/store/store.js'
import { type Metrics, NO_METRICS } from '../../src/ports/system/metrics.js'
import type { ServiceContainer } from '../container.js'
import type { Token } from '../tokens.js'
import { tokens } from './node-tokens.js'

export interface ComposeOptions {
  readonly dataDir: string
  readonly currencies: Readonly<Record<string, number>>
  readonly requestStop: () => void
  /** Other limits than those of `SENDER_BUDGETS`. */
  readonly budgets?: Partial<Record<BudgetName, number>>
  /** Nothing is measured without. */
  readonly metrics?: Metrics
  /** How long a home waits, before it writes, for one of the peers that it knows; see `FirstComparison`. */
  readonly peerWaitMs?: number | undefined
  readonly handshakes: () => HandshakeCounts | null
  /** The node must not go on. */
  readonly fail: (error: Error) => void
}

type NameOf = keyof typeof tokens
type Services<N extends NameOf> = { [K in N]: (typeof tokens)[K]['type'] }

/** Registers the application of a node over whatever adapters the container holds for its ports. */
export function composeNode(services: ServiceContainer, options: ComposeOptions): void {
  const deps = <N extends NameOf>(...names: N[]) =>
    Object.fromEntries(
      names.map((name) => [name, services.get(tokens[name] as Token<unknown>)]),
    ) as Services<N>
  const nodeId = () => ({ nodeId: services.get(tokens.self).party.id })

  services
    .value(tokens.metrics, options.metrics ?? NO_METRICS)
    .factory(
      tokens.identity,
      () =>
        new NodeIdentity(deps('clock', 'random', 'signer', 'verifier'), {
          meshId: services.get(tokens.members).meshId,
          info: () => services.get(tokens.self).info(),
        }),
    )
    .factory(tokens.budgets, () => new Budgets(deps('clock', 'logger', 'metrics'), options.budgets))
    .factory(
      tokens.heldAuctions,
      () => new HeldAuctions({ ...deps('logger'), clock: services.get(tokens.homeClock) }),
    )
    .factory(
      tokens.firstComparison,
      () =>
        new FirstComparison(deps('clock', 'logger', 'members', 'peerRepository', 'syncer', 'timers'), {
          peerWaitMs: options.peerWaitMs,
        }),
    )
    .factory(tokens.homeClock, () => new HomeClock(deps('clock', 'logger')))
    .factory(
      tokens.outages,
      () => new Outages({ ...deps('timers', 'heartbeat', 'logger'), clock: services.get(tokens.homeClock) }),
    )
    .factory(tokens.peerTable, () => new PeerTable(deps('clock', 'members')))
    .factory(
      tokens.membership,
      () =>
        new Membership(
          deps(
            'budgets',
            'clock',
            'timers',
            'random',
            'logger',
            'discovery',
            'identity',
            'peerClient',
            'peerRepository',
            'peerTable',
          ),
          { onKeyInUse: options.fail },
        ),
    )
    .factory(
      tokens.auctionHouse,
      () =>
        new AuctionHouse(
          {
            ...deps(
              'budgets',
              'timers',
              'signer',
              'logger',
              'metrics',
              'eventLog',
              'outcomes',
              'auctions',
              'secrets',
              'equivocations',
              'replication',
              'outages',
              'heldAuctions',
              'firstComparison',
            ),
            clock: services.get(tokens.homeClock),
          },
          nodeId(),
        ),
    )
    .factory(tokens.replication, () => new Replication(deps('peerClient', 'peerTable', 'timers', 'logger')))
    .factory(
      tokens.handoverGiver,
      () =>
        new HandoverGiver(
          deps(
            'auctionHouse',
            'handovers',
            'peerClient',
            'peerTable',
            'replication',
            'signer',
            'verifier',
            'logger',
          ),
          nodeId(),
        ),
    )
    .factory(
      tokens.handoverTaker,
      () =>
        new HandoverTaker(
          deps(
            'auctionHouse',
            'auctions',
            'budgets',
            'eventLog',
            'handovers',
            'outcomes',
            'secrets',
            'signer',
            'syncer',
            'verifier',
            'logger',
          ),
          { ...nodeId(), isReader: services.get(tokens.self).isReader ?? false },
        ),
    )
    .factory(tokens.feed, () => new Feed(deps('eventLog')))
    .factory(
      tokens.router,
      () =>
        new CommandRouter(
          deps(
            'auctions',
            'auctionHouse',
            'eventLog',
            'peerTable',
            'peerClient',
            'receiptKeeper',
            'signer',
            'verifier',
            'clock',
            'timers',
            'logger',
            'metrics',
          ),
          nodeId(),
        ),
    )
    .factory(
      tokens.autoBidder,
      () =>
        new AutoBidder(
          deps(
            'clock',
            'timers',
            'random',
            'logger',
            'auctions',
            'autoBids',
            'participations',
            'router',
            'eventLog',
          ),
          services.get(tokens.self).party,
        ),
    )
    .factory(
      tokens.replicator,
      () =>
        new Replicator(
          deps(
            'budgets',
            'eventLog',
            'auctions',
            'clock',
            'equivocationWatch',
            'heldAuctions',
            'members',
            'memberNews',
            'orderChecker',
            'random',
            'verifier',
            'logger',
          ),
          nodeId(),
        ),
    )
    .factory(
      tokens.receiptKeeper,
      () => new ReceiptKeeper(deps('receipts', 'receiptWatch', 'timers', 'logger')),
    )
    .factory(
      tokens.signatureMender,
      () => new SignatureMender(deps('eventLog', 'peerClient', 'peerTable', 'signer', 'verifier', 'logger')),
    )
    .factory(
      tokens.receiptWatch,
      () => new ReceiptWatch(deps('auctions', 'breaches', 'eventLog', 'receipts', 'logger')),
    )
    .factory(
      tokens.refusedCommits,
      () =>
        new RefusedCommits(
          deps(
            'auctions',
            'clock',
            'equivocations',
            'eventLog',
            'logger',
            'peerClient',
            'peerTable',
            'verifier',
          ),
          nodeId(),
        ),
    )
    .factory(
      tokens.peerRefusals,
      () => new PeerRefusals(deps('auctions', 'clock', 'logger', 'peerTable'), nodeId()),
    )
    .factory(
      tokens.equivocationWatch,
      () =>
        new EquivocationWatch(
          deps(
            'budgets',
            'eventLog',
            'auctions',
            'equivocations',
            'heldAuctions',
            'peerClient',
            'peerTable',
            'signatureMender',
            'verifier',
            'logger',
          ),
          nodeId(),
        ),
    )
    .factory(tokens.headsDigest, () => new HeadsDigest(deps('eventLog')))
    .factory(
      tokens.syncer,
      () =>
        new Syncer(
          deps(
            'budgets',
            'clock',
            'peerClient',
            'peerTable',
            'eventLog',
            'headsDigest',
            'peerRefusals',
            'refusedCommits',
            'replicator',
            'random',
            'timers',
            'logger',
          ),
        ),
    )
    .factory(
      tokens.pusher,
      () =>
        new CommitPusher(
          deps('peerClient', 'peerTable', 'replication', 'signer', 'eventLog', 'timers', 'logger'),
          nodeId(),
        ),
    )
    .factory(
      tokens.auctionViews,
      () =>
        new AuctionViews(
          {
            ...deps(
              'auctions',
              'autoBidder',
              'breaches',
              'equivocations',
              'logger',
              'participations',
              'peerTable',
            ),
            clock: services.get(tokens.homeClock),
          },
          services.get(tokens.self).party,
        ),
    )
    .factory(
      tokens.peerService,
      () =>
        new LocalPeerService(
          deps(
            'auctionHouse',
            'auctions',
            'clock',
            'equivocationWatch',
            'eventLog',
            'handoverTaker',
            'headsDigest',
            'membership',
            'peerRefusals',
            'refusedCommits',
            'replicator',
            'signer',
            'verifier',
            'syncer',
            'logger',
          ),
        ),
    )
    .factory(tokens.nodeApi, () => {
      const { party, info } = services.get(tokens.self)
      const commands = new LocalNodeCommands(
        deps(
          'auctionHouse',
          'auctions',
          'auctionViews',
          'autoBidder',
          'handoverGiver',
          'homeClock',
          'logger',
          'members',
          'participations',
          'peerTable',
          'random',
          'router',
          'signer',
        ),
        { self: party, info, ...options },
      )
      const queries = new LocalNodeQueries(
        deps(
          'auctionHouse',
          'auctions',
          'auctionViews',
          'autoBidder',
          'breaches',
          'budgets',
          'clock',
          'discovery',
          'equivocations',
          'eventLog',
          'feed',
          'firstComparison',
          'heldAuctions',
          'homeClock',
          'logger',
          'members',
          'peerTable',
          'receiptKeeper',
          'receipts',
          'signatureMender',
          'syncer',
          'timers',
        ),
        { info, ...options },
      )
      return checkedNodeApi(commands, queries)
    })
}

/** Registers what a store holds. */
export function provideStore(services: ServiceContainer, store: Store): void {
  services
    .value(tokens.outcomes, store.outcomes)
    .value(tokens.auctions, store.auctions)
    .value(tokens.secrets, store.secrets)
    .value(tokens.handovers, store.handovers)
    .value(tokens.autoBids, store.autoBids)
    .value(tokens.participations, store.participations)
    .value(tokens.peerRepository, store.peers)
    .value(tokens.receipts, store.receipts)
    .value(tokens.equivocations, store.equivocations)
    .value(tokens.breaches, store.breaches)
}

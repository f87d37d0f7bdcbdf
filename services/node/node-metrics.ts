import type { MeshTls } from '../../src/adapters/grenache/transport/mesh-tls.js'
import { measureConsumers } from '../../src/application/consumers/consumer-gauges.js'
import { statusGauges } from '../../src/application/node/status-gauges.js'
import type { Metrics } from '../../src/ports/system/metrics.js'
import type { NodeServices } from './node-parts.js'

/** The gauges of a node's queues, peers and replicas; what is counted on a bid's path is counted there. */
export function measureNode(metrics: Metrics, services: NodeServices, tls: MeshTls | null): void {
  const house = services.parts.auctionHouse
  const router = services.parts.router
  const pusher = services.parts.pusher
  const eventLog = services.parts.eventLog
  const peers = services.parts.peerTable
  const { publicKey } = services.parts.signer
  const shared = services.parts.cluster && { log: services.parts.clusterLog, copies: services.parts.ownCopies }

  statusGauges(metrics, () => services.parts.nodeApi.status())
  metrics.gauge('vendue_queue_depth', 'Commands and commits that wait, by queue.', () => [
    { labels: { queue: 'mailboxes' }, value: house.waiting.all },
    { labels: { queue: 'fullest_mailbox' }, value: house.waiting.most },
    { labels: { queue: 'forwarders' }, value: router.waiting },
    ...(shared ? [{ labels: { queue: 'shared_log' }, value: shared.log.waiting }] : []),
    ...(shared ? [{ labels: { queue: 'own_copies' }, value: shared.copies.size }] : []),
    { labels: { queue: 'outboxes' }, value: pusher.backlog.reduce((sum, { commits }) => sum + commits, 0) },
  ])
  metrics.gauge('vendue_replication_backlog_commits', 'Commits that wait to be sent to a peer.', () =>
    pusher.backlog.map(({ nodeId, commits }) => {
      return { labels: { peer: peers.get(nodeId)?.info.name ?? nodeId }, value: commits }
    }),
  )
  metrics.gauge(
    'vendue_moving_auctions',
    'Auctions of a cluster whose commands from here wait for a home that answers.',
    () => services.parts.movingAuctions.size,
  )
  metrics.gauge('vendue_loaded_auctions', 'Auctions of this home in memory.', () => house.loaded)
  metrics.gauge(
    'vendue_member_log_conflict',
    '1 where the mesh’s authority has signed two histories of the member list.',
    () => (services.parts.members.conflict === null ? 0 : 1),
  )
  metrics.gauge('vendue_picture_bytes', 'Pictures of lots: of this node and of others, and the room for them.', () => {
    const { ownBytes, ownLimit, copyBytes, copyLimit } = services.parts.pictures.usage
    const values = { own: ownBytes, own_limit: ownLimit, copy: copyBytes, copy_limit: copyLimit }
    return Object.entries(values).map(([kind, value]) => ({ labels: { kind }, value }))
  })
  if (tls) {
    metrics.gauge('vendue_tls_handshakes', 'Mutual TLS handshakes since the start.', () =>
      Object.entries(tls.handshakes).map(([way, value]) => ({ labels: { way }, value })),
    )
  }
  measureConsumers(metrics, services.parts.consumerStatuses)
  const events = metrics.sizes('vendue_commit_events', 'Events of one commit, of this home or another.')
  const delay = metrics.seconds(
    'vendue_replication_delay_seconds',
    'From the home’s time of a commit’s last event until it is stored here, clocks’ differences included.',
  )
  eventLog.onPublished(({ commit, events: own }) => {
    events.observe(own.length)
    const at = own.at(-1)?.at
    if (commit.signer !== publicKey && at !== undefined) delay.observe(Math.max(0, Date.now() - at) / 1_000)
  })
}

import type { NodeStatus } from '../../ports/node/node-status.js'
import type { Metrics } from '../../ports/system/metrics.js'

const STATUS_AGE_MS = 1_000

/** What a node says of itself, for a page of metrics: a node that does not answer leaves its gauges out. */
export function statusGauges(metrics: Metrics, status: () => Promise<NodeStatus>): void {
  let last: { readonly at: number; readonly value: Promise<NodeStatus> } | null = null
  const read = () => {
    const now = performance.now()
    if (last === null || now - last.at > STATUS_AGE_MS) last = { at: now, value: status() }
    return last.value
  }
  const byLabel = (name: string, help: string, label: string, pick: (status: NodeStatus) => Record<string, number>) =>
    metrics.gauge(name, help, async () =>
      Object.entries(pick(await read())).map(([key, value]) => ({ labels: { [label]: key }, value })),
    )
  byLabel('vendue_peers', 'Peers of the node by state.', 'state', ({ peers }) => ({ ...peers }))
  byLabel('vendue_auctions', 'Auctions that the node knows, by status.', 'status', ({ auctions }) => ({
    ...auctions,
  }))
  byLabel(
    'vendue_node',
    'The node: bids it knows, its uptime, events it still lacks, commits it refused; auctions that it refuses to go on with, and that peers do.',
    'of',
    (status) => ({
      bids: status.bids,
      uptime_seconds: status.uptimeMs / 1_000,
      events_missing: status.sync.state === 'syncing' ? status.sync.total - status.sync.done : 0,
      commits_refused: status.sync.refused,
      auctions_refused: status.sync.refusedAuctions.length,
      auctions_doubted: status.sync.doubtedAuctions.length,
    }),
  )
  byLabel('vendue_cluster_nodes', 'Nodes of the cluster by state.', 'state', ({ cluster }) => {
    if (cluster === null) return {}
    const states = { alive: 0, dead: 0, left: 0 }
    for (const { state } of cluster.nodes) states[state] += 1
    return states
  })
  metrics.gauge('vendue_shared_log_reached', 'Whether the log of the cluster answers: 1 or 0.', async () => {
    const { cluster } = await read()
    return cluster === null ? [] : [{ labels: {}, value: cluster.log.outage === null ? 1 : 0 }]
  })
  metrics.gauge('vendue_syncing', 'Whether the node catches up with its peers: 1 or 0.', async () => [
    { labels: {}, value: (await read()).sync.state === 'syncing' ? 1 : 0 },
  ])
}

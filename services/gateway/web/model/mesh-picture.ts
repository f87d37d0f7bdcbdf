import type { MetricSample, Peer } from 'vendue/client'

/** A peer in the picture: where it stands around this node, which is in the middle of a square of 200. */
export interface DrawnPeer {
  readonly peer: Peer
  readonly x: number
  readonly y: number
  readonly radius: number
  /** Its name is written beside it: there is room for a few. */
  readonly named: boolean
}

export const MAX_DRAWN = 24
export const MAX_NAMED = 6
const MIDDLE = 100
const NEAREST = 38
const FARTHEST = 82
/** From here to there, on a logarithmic scale, round trips lie between the nearest and the farthest ring. */
const FASTEST_MS = 0.3
const SLOWEST_MS = 300

/**
 * The peers around this node: the quicker, the nearer; the more auctions at home, the larger. Those in trouble are
 * drawn, and named, first; of many, nobody else is named.
 */
export function drawPeers(peers: readonly Peer[], homes: ReadonlyMap<string, number>): DrawnPeer[] {
  const urgency = { dead: 0, suspect: 1, alive: 2, left: 3 } as const
  const urgent = [...peers]
    .sort((a, b) => urgency[a.state] - urgency[b.state] || (a.name < b.name ? -1 : 1))
    .slice(0, MAX_DRAWN)
  const isCrowd = urgent.length > MAX_NAMED
  const first = urgent.slice(0, MAX_NAMED).filter(({ state }) => !isCrowd || state === 'dead' || state === 'suspect')
  // A peer keeps its place when another one's state changes.
  const shown = [...urgent].sort((a, b) => (a.node_id < b.node_id ? -1 : 1))
  return shown.map((peer, i) => {
    const angle = (2 * Math.PI * i) / shown.length - Math.PI / 2
    const far = distanceOf(peer)
    const radius = 5 + Math.min(5, Math.sqrt(homes.get(peer.name) ?? 0))
    const named = first.includes(peer)
    return { peer, x: MIDDLE + far * Math.cos(angle), y: MIDDLE + far * Math.sin(angle), radius, named }
  })
}

function distanceOf({ state, round_trip_ms: ms }: Peer): number {
  if (state === 'dead' || state === 'left' || ms === null) return FARTHEST
  const share = Math.log(Math.max(ms, FASTEST_MS) / FASTEST_MS) / Math.log(SLOWEST_MS / FASTEST_MS)
  return NEAREST + Math.min(1, share) * (FARTHEST - NEAREST)
}

/** What an operator looks at first, of all that a gateway measures. */
export interface MeshFigures {
  /** Commits that wait for a peer, by its name. */
  readonly backlog: ReadonlyMap<string, number>
  /** What waits, by queue, those that are not empty. */
  readonly waiting: readonly (readonly [queue: string, count: number])[]
  readonly databaseBytes: number | null
  readonly walBytes: number | null
  /** Half of others' commits were stored here within this. */
  readonly replicationDelayMs: number | null
  /** Of a hundred disk syncs 99 took no longer. */
  readonly commitMs: number | null
  readonly waitingBids: number | null
}

export function figuresOf(samples: readonly MetricSample[]): MeshFigures {
  const value = (name: string) => samples.find((sample) => sample.name === name)?.value ?? null
  const labelled = (name: string, label: string) =>
    samples.filter((sample) => sample.name === name).map(({ labels, value }) => [labels[label] ?? '', value] as const)
  const seconds = (name: string, share: number) => {
    const at = quantile(samples, name, share)
    return at === null ? null : at * 1_000
  }
  return {
    backlog: new Map(labelled('vendue_replication_backlog_commits', 'peer')),
    waiting: labelled('vendue_queue_depth', 'queue').filter(([, count]) => count > 0),
    databaseBytes: value('vendue_database_bytes'),
    walBytes: value('vendue_wal_bytes'),
    replicationDelayMs: seconds('vendue_replication_delay_seconds', 0.5),
    commitMs: seconds('vendue_commit_seconds', 0.99),
    waitingBids: value('vendue_gateway_waiting_bids'),
  }
}

/** The bound of the bucket that holds the share; null if nothing was measured, or it lies above all bounds. */
export function quantile(samples: readonly MetricSample[], name: string, share: number): number | null {
  const buckets = samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({ bound: labels.le === '+Inf' ? Infinity : Number(labels.le), value }))
    .sort((a, b) => a.bound - b.bound)
  const total = buckets.at(-1)?.value ?? 0
  if (total === 0) return null
  const bound = buckets.find(({ value }) => value >= share * total)?.bound ?? Infinity
  return Number.isFinite(bound) ? bound : null
}

import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import { NodeError, type NodeStatus } from '../../ports/node-api.js'
import type { Outcome } from '../../ports/outcome-repository.js'

export interface Connections {
  readonly websockets: number
  readonly eventStreams: number
  readonly socketIo: number
  readonly openBreakers: number
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25]
const STATUS_AGE_MS = 1_000

/** What a gateway measures, in the text format of Prometheus. */
export class GatewayMetrics {
  readonly registry = new Registry()
  readonly #bids = new Counter({
    name: 'vendue_bids_total',
    help: 'Bids through this gateway, by outcome and code.',
    labelNames: ['outcome', 'code', 'path'],
    registers: [this.registry],
  })
  readonly #bidSeconds = new Histogram({
    name: 'vendue_bid_seconds',
    help: 'From a bid in the gateway to its answer, by path (http, ws, socketio).',
    labelNames: ['path'],
    buckets: SECONDS,
    registers: [this.registry],
  })
  readonly #requests = new Histogram({
    name: 'vendue_http_request_seconds',
    help: 'HTTP requests by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers: [this.registry],
  })
  readonly #events = new Counter({
    name: 'vendue_events_total',
    help: 'Auction events that this gateway heard from its node.',
    registers: [this.registry],
  })
  readonly #slowReaders = new Counter({
    name: 'vendue_slow_readers_total',
    help: 'Connections closed because their reader was too slow.',
    registers: [this.registry],
  })
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: 10 })
  #status: { readonly at: number; readonly value: NodeStatus } | null = null

  constructor(sources: {
    readonly connections: () => Connections
    readonly status: () => Promise<NodeStatus>
  }) {
    this.#lag.enable()
    const gauge = (name: string, help: string, read: () => number) => {
      new Gauge({
        name,
        help,
        registers: [this.registry],
        collect() {
          this.set(read())
        },
      })
    }
    const { connections } = sources
    gauge('vendue_websockets', 'WebSocket connections.', () => connections().websockets)
    gauge('vendue_socketio_connections', 'Socket.IO connections.', () => connections().socketIo)
    gauge('vendue_event_streams', 'Server-sent event streams.', () => connections().eventStreams)
    gauge(
      'vendue_home_breakers_open',
      'Homes that are left alone after failures.',
      () => connections().openBreakers,
    )
    gauge('vendue_event_loop_lag_p50_seconds', 'Event loop delay since the last scrape.', () =>
      lagOf(this.#lag, 50),
    )
    gauge('vendue_event_loop_lag_p99_seconds', 'Event loop delay since the last scrape.', () =>
      lagOf(this.#lag, 99),
    )
    gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
    gauge('process_heap_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed)
    gauge('process_uptime_seconds', 'Since the process started.', () => process.uptime())
    this.#nodeGauges(sources.status)
  }

  bid(path: 'http' | 'ws' | 'socketio', seconds: number, outcome: Outcome): void {
    const code = outcome.status === 'rejected' ? outcome.rejection.code : ''
    this.#bids.inc({ outcome: outcome.status, code, path })
    this.#bidSeconds.observe({ path }, seconds)
  }

  bidFailed(path: 'http' | 'ws' | 'socketio', seconds: number, error: unknown): void {
    const code = error instanceof NodeError ? error.code : 'REFUSED'
    this.#bids.inc({ outcome: code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'failed', code, path })
    this.#bidSeconds.observe({ path }, seconds)
  }

  request(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds)
  }

  event(): void {
    this.#events.inc()
  }

  slowReader(): void {
    this.#slowReaders.inc()
  }

  async text(): Promise<string> {
    const text = await this.registry.metrics()
    this.#lag.reset()
    return text
  }

  stop(): void {
    this.#lag.disable()
    this.registry.clear()
  }

  #nodeGauges(status: () => Promise<NodeStatus>): void {
    const read = async () => {
      const now = performance.now()
      if (this.#status === null || now - this.#status.at > STATUS_AGE_MS)
        this.#status = { at: now, value: await status() }
      return this.#status.value
    }
    const byLabel = (
      name: string,
      help: string,
      label: string,
      pick: (status: NodeStatus) => Record<string, number>,
    ) => {
      new Gauge({
        name,
        help,
        labelNames: [label],
        registers: [this.registry],
        // A node that does not answer leaves its gauges out; the rest is told all the same.
        async collect() {
          this.reset()
          const value = await read().catch(() => null)
          if (value === null) return
          for (const [key, amount] of Object.entries(pick(value))) this.set({ [label]: key }, amount)
        },
      })
    }
    byLabel('vendue_peers', 'Peers of the node by state.', 'state', ({ peers }) => ({ ...peers }))
    byLabel('vendue_auctions', 'Auctions that the node knows, by status.', 'status', ({ auctions }) => ({
      ...auctions,
    }))
    byLabel(
      'vendue_node',
      'The node: bids it knows, its uptime, events it still lacks, commits it refused.',
      'of',
      (status) => ({
        bids: status.bids,
        uptime_seconds: status.uptimeMs / 1_000,
        events_missing: status.sync.state === 'syncing' ? status.sync.total - status.sync.done : 0,
        commits_refused: status.sync.refused,
      }),
    )
  }
}

const NANOSECONDS = 1e9

function lagOf(lag: IntervalHistogram, percentile: number): number {
  return lag.count === 0 ? 0 : lag.percentile(percentile) / NANOSECONDS
}

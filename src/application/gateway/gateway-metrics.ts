import { NodeError } from '../../ports/node/node-error.js'
import type { NodeStatus } from '../../ports/node/node-status.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import {
  type Counter,
  type Histogram,
  type Metrics,
  type MetricsPage,
  stepSeconds,
} from '../../ports/system/metrics.js'
import { statusGauges } from '../node/status-gauges.js'
import { type Guard, HELD_THINGS } from './guard.js'

export interface Connections {
  readonly websockets: number
  readonly eventStreams: number
  readonly socketIo: number
  readonly openBreakers: number
}

export type GatewayPath = 'http' | 'ws' | 'socketio' | 'grpc'
export type LivePath = 'ws' | 'socketio' | 'sse' | 'http' | 'grpc'

const BIDS = 'Bids through this gateway, by outcome and code.'
const REQUESTS = 'HTTP requests by route and status.'

/** What a gateway measures. */
export class GatewayMetrics {
  readonly page: MetricsPage
  readonly #metrics: Metrics
  /** By path, outcome and code: looked up for every bid, and so without making a key of the three. */
  readonly #bids = new Map<GatewayPath, Map<string, Map<string, Counter>>>()
  readonly #bidSeconds: Readonly<Record<GatewayPath, Histogram>>
  readonly #requests = new Map<string, Histogram>()
  readonly #events: Counter
  readonly #slowReaders: Readonly<Record<LivePath, Counter>>
  readonly #overfull: Readonly<Record<'ws' | 'socketio', Counter>>
  /** From a frame's arrival until it is known what it asks. */
  readonly parse: Histogram
  /** What arrives in one turn of the event loop waits for its end, and goes to the node together. */
  readonly turn: Histogram
  readonly answer: Histogram
  readonly feed: Histogram

  constructor(
    metrics: Metrics & MetricsPage,
    sources: {
      readonly connections: () => Connections
      readonly status: () => Promise<NodeStatus>
      /** Bids that came in this turn. */
      readonly waiting: () => number
      /** Null: nothing is counted. */
      readonly guard: () => Pick<Guard, 'held' | 'refusals'> | null
    },
  ) {
    this.#metrics = metrics
    this.page = metrics
    const seconds = (path: GatewayPath) =>
      metrics.seconds('vendue_bid_seconds', 'From a bid in the gateway to its answer.', { path })
    this.#bidSeconds = {
      http: seconds('http'),
      ws: seconds('ws'),
      socketio: seconds('socketio'),
      grpc: seconds('grpc'),
    }
    this.#events = metrics.counter('vendue_events_total', 'Auction events that this gateway has heard.')
    const slow = (path: LivePath) =>
      metrics.counter('vendue_slow_readers_total', 'Connections closed because their reader was too slow.', {
        path,
      })
    this.#slowReaders = {
      ws: slow('ws'),
      socketio: slow('socketio'),
      sse: slow('sse'),
      http: slow('http'),
      grpc: slow('grpc'),
    }
    const overfull = (path: 'ws' | 'socketio') =>
      metrics.counter(
        'vendue_overfull_connections_total',
        'Requests answered BUSY because too many of their connection wait for answers.',
        { path },
      )
    this.#overfull = { ws: overfull('ws'), socketio: overfull('socketio') }
    this.parse = stepSeconds(metrics, 'parse')
    this.turn = stepSeconds(metrics, 'turn')
    this.answer = stepSeconds(metrics, 'answer')
    this.feed = stepSeconds(metrics, 'feed')
    const { connections } = sources
    const gauge = (name: string, help: string, read: () => number) => metrics.gauge(name, help, read)
    gauge('vendue_websockets', 'WebSocket connections.', () => connections().websockets)
    gauge('vendue_socketio_connections', 'Socket.IO connections.', () => connections().socketIo)
    gauge('vendue_event_streams', 'Server-sent event streams.', () => connections().eventStreams)
    gauge('vendue_home_breakers_open', 'Homes that are left alone after failures.', () => connections().openBreakers)
    metrics.gauge('vendue_gateway_held', 'What callers hold, where limits are on.', () => {
      const guard = sources.guard()
      return guard === null ? [] : HELD_THINGS.map((what) => ({ labels: { what }, value: guard.held(what) }))
    })
    metrics.gauge('vendue_gateway_refusals', 'Refused since the start, by the limit that was reached.', () =>
      [...(sources.guard()?.refusals ?? [])].map(([limit, value]) => ({ labels: { limit }, value })),
    )
    gauge('vendue_gateway_waiting_bids', 'Bids that wait for their turn to go to the node.', sources.waiting)
    statusGauges(metrics, sources.status)
  }

  bid(path: GatewayPath, seconds: number, outcome: Outcome): void {
    this.#bid(path, seconds, outcome.status, outcome.status === 'rejected' ? outcome.rejection.code : '')
  }

  bidFailed(path: GatewayPath, seconds: number, error: unknown): void {
    const code = error instanceof NodeError ? error.code : 'REFUSED'
    this.#bid(path, seconds, code === 'OUTCOME_UNKNOWN' ? 'unknown' : 'failed', code)
  }

  request(method: string, route: string, status: number, seconds: number): void {
    const key = `${method} ${status} ${route}`
    let histogram = this.#requests.get(key)
    if (histogram === undefined) {
      const labels = { method, route, status: String(status) }
      histogram = this.#metrics.seconds('vendue_http_request_seconds', REQUESTS, labels)
      this.#requests.set(key, histogram)
    }
    histogram.observe(seconds)
  }

  events(count: number): void {
    this.#events.inc(count)
  }

  slowReader(path: LivePath): void {
    this.#slowReaders[path].inc()
  }

  overfull(path: 'ws' | 'socketio'): void {
    this.#overfull[path].inc()
  }

  #bid(path: GatewayPath, seconds: number, outcome: string, code: string): void {
    const known = this.#bids.get(path)?.get(outcome)?.get(code)
    const counter = known ?? this.#newCounter(path, outcome, code)
    counter.inc()
    this.#bidSeconds[path].observe(seconds)
  }

  #newCounter(path: GatewayPath, outcome: string, code: string): Counter {
    const counter = this.#metrics.counter('vendue_bids_total', BIDS, { outcome, code, path })
    const ofPath = this.#bids.get(path) ?? new Map<string, Map<string, Counter>>()
    const ofOutcome = ofPath.get(outcome) ?? new Map<string, Counter>()
    this.#bids.set(path, ofPath.set(outcome, ofOutcome.set(code, counter)))
    return counter
  }
}

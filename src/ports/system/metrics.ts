/**
 * What the application counts and times. Instruments are made once, where their owner is made, and are cheap to use:
 * counting and observing allocate nothing. Asking twice for the same name and labels gives the same instrument.
 * Names are those of Prometheus: `vendue_..._total` for counters, the unit last for the rest.
 */
export interface Metrics {
  counter(name: string, help: string, labels?: Labels): Counter
  /** Buckets for durations between 0.1 ms and 30 s. */
  seconds(name: string, help: string, labels?: Labels): Histogram
  /** Buckets for numbers of things: powers of two up to 16,384. */
  sizes(name: string, help: string, labels?: Labels): Histogram
  /** Read when somebody looks. A reading that fails is left out. A second gauge of the same name takes its place. */
  gauge(name: string, help: string, read: ReadGauge): void
}

export type Labels = Readonly<Record<string, string>>

export interface Counter {
  inc(by?: number): void
}

export interface Histogram {
  observe(value: number): void
}

export type ReadGauge = () => number | readonly Reading[] | Promise<readonly Reading[]>

export interface Reading {
  readonly labels: Labels
  readonly value: number
}

/** What Prometheus reads. */
export interface MetricsPage {
  readonly contentType: string
  text(): Promise<string>
}

const NOTHING = { inc: () => {}, observe: () => {} }

/** For tests, the simulation, and whoever does not want to know. */
export const NO_METRICS: Metrics = {
  counter: () => NOTHING,
  seconds: () => NOTHING,
  sizes: () => NOTHING,
  gauge: () => {},
}

/**
 * The steps of a bid's path, in their order: from the frame or body to the node, the way over the mesh, the wait for
 * the auction, the decision, the disk, and the answer on its socket. `feed` is from the home's decision until the
 * gateway has handed the event to its listeners' sockets.
 */
export type Step = 'parse' | 'turn' | 'forward' | 'mailbox' | 'decide' | 'append' | 'answer' | 'feed'

export function stepSeconds(metrics: Metrics, step: Step): Histogram {
  return metrics.seconds('vendue_step_seconds', 'Steps of the path of bids.', { step })
}

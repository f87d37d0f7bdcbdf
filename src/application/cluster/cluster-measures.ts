import type { Counter, Histogram, Metrics } from '../../ports/system/metrics.js'

/** What is measured of a node's part in its cluster. */
export class ClusterMeasures {
  readonly append: Histogram
  readonly conflicts: Counter
  readonly takeovers: Counter
  readonly beats: Counter
  readonly failures: Counter
  readonly healed: Counter

  constructor(metrics: Metrics) {
    this.append = metrics.seconds(
      'vendue_shared_log_append_seconds',
      'From a home’s append until the shared log has committed it.',
    )
    this.conflicts = metrics.counter('vendue_shared_log_conflicts_total', 'Appends that another writer was before.')
    this.takeovers = metrics.counter('vendue_takeovers_total', 'Auctions that this node took over.')
    this.beats = metrics.counter('vendue_cluster_beats_total', 'Beats that the shared log has taken.')
    this.failures = metrics.counter('vendue_shared_log_failures_total', 'Calls that the shared log did not answer.')
    this.healed = metrics.counter('vendue_shared_log_healed_total', 'Commits put back into the shared log.')
  }
}

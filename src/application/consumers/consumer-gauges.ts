import type { ConsumerStatus } from '../../ports/store/consumer-status.js'
import type { Metrics } from '../../ports/system/metrics.js'

const STATES = [
  'waiting',
  'catching-up',
  'following',
  'failing',
  'stopped',
] as const satisfies ConsumerStatus['state'][]

/** Shows how far consumers are behind, and what they are doing. */
export function measureConsumers(metrics: Metrics, statuses: () => readonly ConsumerStatus[]): void {
  const gauge = (name: string, help: string, value: (status: ConsumerStatus) => number) =>
    metrics.gauge(name, help, () =>
      statuses().map((status) => ({ labels: { consumer: status.name }, value: value(status) })),
    )
  gauge('vendue_consumer_behind_events', 'Events not taken in yet.', ({ behind }) => behind)
  gauge('vendue_consumer_lag_seconds', 'How long the oldest of them has waited.', ({ lagMs }) => lagMs / 1_000)
  gauge(
    'vendue_consumer_stopped_auctions',
    'Auctions whose logs contradict themselves.',
    ({ stopped }) => stopped.length,
  )
  metrics.gauge('vendue_consumer_state', 'What a consumer is doing: 1 for its state, 0 for others.', () =>
    statuses().flatMap(({ name, state }) =>
      STATES.map((one) => ({ labels: { consumer: name, state: one }, value: one === state ? 1 : 0 })),
    ),
  )
}

import { expect } from 'chai'
import { PrometheusMetrics } from '../../../src/adapters/prometheus/prometheus-metrics.js'
import { measureConsumers } from '../../../src/application/consumers/consumer-gauges.js'

describe('the metrics of consumers', () => {
  it('say of each how far it is behind, for how long, and what it is doing', async () => {
    const metrics = new PrometheusMetrics()
    const status = { generation: 1, heldBy: null, done: 0, total: 0, error: null, stopped: [] }
    measureConsumers(metrics, () => [
      { ...status, name: 'analytics', state: 'following', behind: 7, lagMs: 1_500 },
      { ...status, name: 'audit', state: 'waiting', behind: 0, lagMs: 0 },
    ])
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('vendue_consumer'))
    expect(lines).to.include.members([
      'vendue_consumer_behind_events{consumer="analytics"} 7',
      'vendue_consumer_behind_events{consumer="audit"} 0',
      'vendue_consumer_lag_seconds{consumer="analytics"} 1.5',
      'vendue_consumer_state{consumer="analytics",state="following"} 1',
      'vendue_consumer_state{consumer="audit",state="following"} 0',
      'vendue_consumer_state{consumer="audit",state="waiting"} 1',
    ])
  })
})

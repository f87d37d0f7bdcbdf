import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect } from 'chai'
import { MetricsServer } from '../../../src/adapters/prometheus/metrics-server.js'
import { PrometheusMetrics } from '../../../src/adapters/prometheus/prometheus-metrics.js'

describe('PrometheusMetrics', () => {
  it('writes counters, histograms and gauges as Prometheus reads them', async () => {
    const metrics = new PrometheusMetrics()
    metrics.counter('bids_total', 'Bids.', { code: 'A"B' }).inc(2)
    metrics.counter('bids_total', 'Bids.', { code: 'A"B' }).inc()
    const seconds = metrics.seconds('step_seconds', 'Steps.', { step: 'append' })
    for (const value of [0.0001, 0.002, 99]) seconds.observe(value)
    metrics.gauge('depth', 'Depth.', () => 7)
    const text = await metrics.text()
    expect(text).to.contain('# TYPE bids_total counter\nbids_total{code="A\\"B"} 3\n')
    expect(text).to.contain('step_seconds_bucket{le="0.0001",step="append"} 1\n')
    expect(text).to.contain('step_seconds_bucket{le="0.0025",step="append"} 2\n')
    expect(text).to.contain('step_seconds_bucket{le="30",step="append"} 2\n')
    expect(text).to.contain('step_seconds_bucket{le="+Inf",step="append"} 3\n')
    expect(text).to.contain('step_seconds_count{step="append"} 3\n')
    expect(text).to.contain('# TYPE depth gauge\ndepth 7\n')
  })

  it('leaves out a gauge that cannot be read, and reports the rest', async () => {
    const metrics = new PrometheusMetrics()
    metrics.gauge('broken', 'B.', () => Promise.reject(new Error('no')))
    metrics.gauge('also_broken', 'B.', () => {
      throw new Error('no')
    })
    metrics.gauge('fine', 'F.', async () => [{ labels: { of: 'x' }, value: 1 }])
    const text = await metrics.text()
    expect(text).to.contain('fine{of="x"} 1')
    expect(text).to.not.match(/^(also_)?broken /m)
  })

  it('bounds how many series labels can make', async () => {
    const metrics = new PrometheusMetrics()
    for (let i = 0; i < 5_000; i++) metrics.counter('many_total', 'M.', { i: String(i) }).inc()
    const lines = (await metrics.text()).split('\n').filter((line) => line.startsWith('many_total'))
    expect(lines.length).to.be.lessThan(1_100)
    expect(lines).to.include('many_total 4000')
  })

  it('is served at /metrics, with /health beside it, and nothing else', async () => {
    const page = new PrometheusMetrics()
    page.gauge('depth', 'Depth.', () => 7)
    const server = new MetricsServer({ page }, { host: '127.0.0.1', port: 0 })
    const { port } = await server.start()
    try {
      const answers = await Promise.all(
        ['/metrics?x=1', '/health', '/other'].map((path) => fetch(`http://127.0.0.1:${port}${path}`)),
      )
      expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 404])
      expect(await answers[0]?.text()).to.contain('depth 7')
    } finally {
      await server.stop()
      await server.stop()
    }
  })

  it("is served on loopback under loopback's names alone, which a page elsewhere cannot take", async () => {
    const server = new MetricsServer({ page: new PrometheusMetrics() }, { host: '127.0.0.1', port: 0 })
    const { port } = await server.start()
    const statusFor = async (host: string) => {
      const sent = request({ port, host: '127.0.0.1', path: '/metrics', headers: { host } }).end()
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      response.resume()
      return response.statusCode
    }
    try {
      for (const host of [`127.0.0.1:${port}`, 'localhost', `LOCALHOST:${port}`, '[::1]:9464', '127.1.2.3'])
        expect(await statusFor(host), host).to.equal(200)
      for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1.evil.example', '192.0.2.7'])
        expect(await statusFor(host), host).to.equal(403)
    } finally {
      await server.stop()
    }
  })
})

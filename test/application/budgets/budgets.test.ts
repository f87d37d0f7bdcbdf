import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { PrometheusMetrics } from '../../../src/adapters/prometheus/prometheus-metrics.js'
import { Budgets } from '../../../src/application/budgets/budgets.js'
import { type BudgetTerms, SENDER_BUDGETS } from '../../../src/application/budgets/sender-budgets.js'
import type { Logger } from '../../../src/ports/system/logger.js'
import { ManualTime } from '../../support/manual-time.js'
import { silentLogger } from '../../support/silent-logger.js'

describe("senders' budgets", () => {
  let time: ManualTime
  let told: object[]
  let budgets: Budgets
  beforeEach(() => {
    time = new ManualTime()
    told = []
    const logger: Logger = { ...silentLogger, warn: (fields) => told.push(fields) }
    budgets = new Budgets({ clock: time, logger }, { refusals: 3_600, requests: 2 })
  })

  it('stand in the documents, each of them, with its least', () => {
    const rows = readFileSync('docs/security.md', 'utf8').matchAll(/^\| `([a-z-]+)` \| ([^|]*) \|/gm)
    const told = new Map([...rows].map(([, name = '', limit = '']) => [name, limit]))
    for (const [name, terms] of Object.entries<BudgetTerms>(SENDER_BUDGETS)) {
      expect(told.has(name), name).to.equal(true)
      expect(/at least/.test(told.get(name) ?? ''), `the least of ${name}`).to.equal(terms.least !== undefined)
    }
  })

  it('let each sender use as much, whatever others have used', () => {
    const requests = budgets.of('requests')
    expect([requests.take('a'), requests.take('a'), requests.take('a')]).to.deep.equal([true, true, false])
    expect(requests.take('b')).to.equal(true)
    requests.give('a')
    expect(requests.take('a')).to.equal(true)
  })

  it('take nothing where there is not enough left', () => {
    const refusals = budgets.of('refusals')
    expect(refusals.take('a', 3_000)).to.equal(true)
    expect(refusals.take('a', 601)).to.equal(false)
    expect(refusals.take('a', 600)).to.equal(true)
    expect(refusals.isSpent('a')).to.equal(true)
  })

  it('come back with time, where they do, and no further than they went', async () => {
    const refusals = budgets.of('refusals')
    refusals.take('a', 3_600)
    await time.advance(10_000)
    expect(refusals.used('a')).to.equal(3_590)
    expect(refusals.take('a', 10)).to.equal(true)
    expect(refusals.take('a', 1)).to.equal(false)
    await time.advance(10 * 3_600_000)
    expect(refusals.used('a')).to.equal(0)
    expect(refusals.take('a', 3_601)).to.equal(false)
  })

  it('say who has used most, how often somebody was refused, and name a sender in the log once a minute', async () => {
    const requests = budgets.of('requests')
    for (let i = 0; i < 5; i++) requests.take('a')
    requests.take('b')
    expect(requests.status()).to.deep.equal({
      name: 'requests',
      unit: 'requests at once',
      limit: 2,
      refillMs: null,
      fullest: { sender: 'a', used: 2 },
      refused: 3,
    })
    expect(told).to.deep.equal([{ budget: 'requests', sender: 'a', limit: 2, unit: 'requests at once' }])
    await time.advance(60_000)
    requests.take('a')
    expect(told).to.have.lengthOf(2)
  })

  it('are measured: the limit of each, who has used most, and how often somebody was refused', async () => {
    const metrics = new PrometheusMetrics()
    const measured = new Budgets({ clock: time, logger: silentLogger, metrics }, { requests: 2 })
    for (let i = 0; i < 5; i++) measured.of('requests').take('a')
    measured.of('requests').take('b')
    const lines = (await metrics.text()).split('\n')
    for (const line of ['budget_limit{budget="requests"} 2', 'budget_used{budget="requests"} 2'])
      expect(lines).to.include(`vendue_${line}`)
    expect(lines).to.include('vendue_budget_refused_total{budget="requests"} 3')
    expect(lines).to.include(`vendue_budget_limit{budget="openings"} ${SENDER_BUDGETS.openings.limit}`)
  })

  it('remember a bounded number of senders, and let those beyond share one budget', async () => {
    const refusals = budgets.of('refusals')
    for (let i = 0; i < 10_000; i++) refusals.take(`sender ${i}`, 10)
    expect(refusals.take('x', 3_600)).to.equal(true)
    expect(refusals.take('y', 1)).to.equal(false)
    await time.advance(3_600_000)
    expect(refusals.take('y', 3_600)).to.equal(true)
    expect(refusals.take('z', 3_600)).to.equal(true)
  })
})

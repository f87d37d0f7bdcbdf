import { expect } from 'chai'
import { type ChaosRun, ChaoticCluster, FAULTS } from '../support/chaotic-cluster.js'
import { skipUnless } from '../support/requires.js'

/** One of each fault here; VENDUE_CHAOS_RUNS=200 for the long form, which prints how long bidders waited. */
const RUNS = Number(process.env.VENDUE_CHAOS_RUNS ?? FAULTS.length)
const STOP_MS = RUNS > FAULTS.length ? 10_000 : 5_000

describe('a cluster in which nodes, connections and servers fail while somebody bids', () => {
  let cluster: ChaoticCluster
  const runs: ChaosRun[] = []

  before(async function () {
    this.timeout(300_000)
    cluster = await ChaoticCluster.start({ stopMs: STOP_MS })
  })

  after(async function () {
    this.timeout(120_000)
    await cluster.end()
    if (RUNS > FAULTS.length) report(runs)
  })

  for (const [i, fault] of FAULTS.entries())
    it(`loses, doubles and forks nothing, and goes on: ${fault}`, async function () {
      this.timeout(0)
      skipUnless(this, cluster.faults.includes(fault), 'a failover needs a whole PostgreSQL: on Debian, postgresql')
      const own: ChaosRun[] = []
      for (let run = i; run < RUNS; run += FAULTS.length) own.push(await cluster.run(fault, run))
      runs.push(...own)
      const wrong: string[] = []
      for (const run of own) wrong.push(...(await cluster.faultsOf(run)))
      expect(wrong).to.deep.equal([])
    })
})

function report(runs: readonly ChaosRun[]): void {
  for (const fault of FAULTS) {
    const gaps = runs.filter((run) => run.fault === fault).map(({ gapMs }) => gapMs)
    gaps.sort((a, b) => a - b)
    const at = (part: number) => Math.round(gaps[Math.min(gaps.length - 1, Math.floor(gaps.length * part))] ?? 0)
    console.log(`    ${fault}: ${gaps.length} runs, p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, most ${at(1)} ms`)
  }
}

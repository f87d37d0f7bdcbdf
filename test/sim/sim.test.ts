import { expect } from 'chai'
import { CASES } from './cases.js'
import {
  ACK_BEFORE_APPEND,
  NO_CLUSTER_SIGNATURE_CHECK,
  NO_EXPECTED_SEQ,
  NO_FSYNC,
  NO_FSYNC_AT_START,
  NO_HEAD_COMPARISON,
  NO_HEALING,
  NO_IDEMPOTENCY,
  NO_PARCELS,
  NO_SIGNATURE_CHECK,
  type Sabotage,
  TIMERS_BESIDE,
} from './sabotage.js'
import { Ed25519KeyRing } from './sim-keys.js'
import { type Mode, SimulationFailure, type SimulationResult, simulate } from './simulation.js'

const SEEDS = 200
const CLUSTER_SEEDS = 100
const MODES: readonly Mode[] = ['safety', 'liveness']
/** For all seeds in one mode. Most of it is reserve for machines that are busy. */
const ALL_SEEDS_TIMEOUT_MS = 600_000
const ONE_SEED_TIMEOUT_MS = 120_000

describe('the simulated mesh', () => {
  for (const mode of MODES) {
    it(`keeps every promise under ${SEEDS} seeds of trouble (${mode})`, async function () {
      this.timeout(ALL_SEEDS_TIMEOUT_MS)
      const results: SimulationResult[] = []
      for (let seed = 1; seed <= SEEDS; seed++) results.push(await simulate({ seed, mode }))
      // Where little happens, little is checked.
      const sum = (of: (result: SimulationResult) => number) => results.reduce((all, one) => all + of(one), 0)
      expect(sum(({ auctions }) => auctions)).to.be.above(3 * SEEDS)
      expect(sum(({ events }) => events)).to.be.above(20 * SEEDS)
      expect(sum(({ acknowledged }) => acknowledged)).to.be.above(50 * SEEDS)
    })
  }

  for (const mode of MODES) {
    it(`keeps every promise if some of its nodes share a log, under ${CLUSTER_SEEDS} seeds (${mode})`, async function () {
      this.timeout(ALL_SEEDS_TIMEOUT_MS)
      const results: SimulationResult[] = []
      for (let seed = 1; seed <= CLUSTER_SEEDS; seed++) results.push(await simulate({ seed, mode, cluster: true }))
      const sum = (of: (result: SimulationResult) => number) => results.reduce((all, one) => all + of(one), 0)
      expect(sum(({ auctions }) => auctions)).to.be.above(3 * CLUSTER_SEEDS)
      expect(sum(({ acknowledged }) => acknowledged)).to.be.above(50 * CLUSTER_SEEDS)
      expect(sum(({ takeovers }) => takeovers)).to.be.above(CLUSTER_SEEDS / 2)
    })
  }

  for (const { seed, mode, found, cluster = false } of CASES) {
    it(`passes the seed by which it was found that ${found}`, async () => {
      await simulate({ seed, mode, cluster })
    }).timeout(ONE_SEED_TIMEOUT_MS)
  }

  it('takes the same steps whenever it is given the same seed, and others for another', async () => {
    for (const mode of MODES) {
      const first = await simulate({ seed: 7, mode })
      expect(await simulate({ seed: 7, mode })).to.deep.equal(first)
      expect((await simulate({ seed: 8, mode })).trace).not.to.equal(first.trace)
      const shared = await simulate({ seed: 7, mode, cluster: true })
      expect(await simulate({ seed: 7, mode, cluster: true })).to.deep.equal(shared)
      expect(shared.trace).not.to.equal(first.trace)
    }
  }).timeout(ONE_SEED_TIMEOUT_MS)

  it('reads no real time and no real random numbers, and waits for nothing real', async () => {
    const used: string[] = []
    const restore = [
      watch(Date, 'now', used),
      watch(Math, 'random', used),
      watch(performance, 'now', used),
      watch(globalThis, 'setTimeout', used),
      watch(globalThis, 'setInterval', used),
      watch(globalThis, 'setImmediate', used),
    ]
    try {
      for (const mode of MODES) for (const cluster of [false, true]) await simulate({ seed: 11, mode, cluster })
    } finally {
      for (const undo of restore) undo()
    }
    expect(used).to.deep.equal([])
  }).timeout(ONE_SEED_TIMEOUT_MS)

  it("keeps its promises with the product's own signatures too", async () => {
    for (const mode of MODES) {
      for (let seed = 1; seed <= 3; seed++) await simulate({ seed, mode, keys: new Ed25519KeyRing() })
      await simulate({ seed: 1, mode, cluster: true, keys: new Ed25519KeyRing() })
    }
  }).timeout(ONE_SEED_TIMEOUT_MS)

  const MUTATIONS: readonly [string, Sabotage][] = [
    ['a disk that does not sync', NO_FSYNC],
    ['a store that takes what it finds at its start for synced', NO_FSYNC_AT_START],
    ['an acknowledgement before the append', ACK_BEFORE_APPEND],
    ['a log that does not check the seq it is to append after', NO_EXPECTED_SEQ],
    ['a home that forgets which commands it has decided', NO_IDEMPOTENCY],
    ['a new home that forgets what it was handed', NO_PARCELS],
    ['a node that checks no signature', NO_SIGNATURE_CHECK],
  ]
  const CLUSTER_MUTATIONS: readonly [string, Sabotage][] = [
    ['a shared log that does not compare the head that it is to append to', NO_HEAD_COMPARISON],
    ['nodes that believe a new primary whatever they hold themselves', NO_HEALING],
    ['nodes that do not check the signature of a cluster', NO_CLUSTER_SIGNATURE_CHECK],
    ['homes whose timers write beside the shared log', TIMERS_BESIDE],
  ]
  for (const [what, sabotage] of CLUSTER_MUTATIONS) {
    it(`is not passed by ${what}`, async function () {
      this.timeout(ALL_SEEDS_TIMEOUT_MS)
      const failure = await firstFailure(sabotage, true)
      expect(failure, `no failure within ${SEEDS} seeds`).to.be.instanceOf(SimulationFailure)
      expect(failure?.message).to.include(`--seed ${failure?.seed} --mode safety --cluster`)
    })
  }

  for (const [what, sabotage] of MUTATIONS) {
    it(`is not passed by ${what}`, async function () {
      this.timeout(ALL_SEEDS_TIMEOUT_MS)
      const failure = await firstFailure(sabotage)
      expect(failure, `no failure within ${SEEDS} seeds`).to.be.instanceOf(SimulationFailure)
      expect(failure?.message).to.include(`--seed ${failure?.seed}`).and.to.include('last steps')
    })
  }
})

async function firstFailure(sabotage: Sabotage, cluster = false): Promise<SimulationFailure | null> {
  for (let seed = 1; seed <= SEEDS; seed++) {
    try {
      await simulate({ seed, mode: 'safety', cluster, sabotage })
    } catch (error) {
      if (error instanceof SimulationFailure) return error
      throw error
    }
  }
  return null
}

/** Notes who calls a function that a simulation must not call. */
function watch<K extends string>(target: Record<K, unknown> | object, name: K, used: string[]): () => void {
  const owner = target as Record<string, (...args: unknown[]) => unknown>
  const original = owner[name] as (...args: unknown[]) => unknown
  owner[name] = function (this: unknown, ...args: unknown[]) {
    used.push(`${name} ${new Error().stack?.split('\n').slice(2, 5).join(' ')}`)
    return original.apply(this, args)
  }
  return () => {
    owner[name] = original
  }
}

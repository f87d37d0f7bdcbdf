import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type FullStore, fillStore } from '../test/support/full-store.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { Child } from './gateway-parts/child.js'
import { percentile } from './latency.js'
import type { FullStoreLoad, FullStoreReport } from './scale-parts/bids-on-full-store.js'

const BIDS_PER_COMMIT = 1_000
/** Open auctions with one bid each; bids go to 20 of them. */
const AUCTIONS = [20, 1_000, 10_000, 100_000]
const BID_ON = 20
/** Bids in the log of the one auction that all bids go to. */
const LOG_LENGTHS = [10_000, 100_000, 1_000_000]
const ROUNDS = 3
const LOAD = { callers: 50, bids: 20_000 }
/** Of the cost of a bid with the smallest store. */
const MOST_GROWTH = 1.3
const MOST_START_MS = 3_000
const MOST_RESIDENT_MB = 300

interface Size {
  readonly name: string
  readonly store: FullStore
  readonly bidOn: number
}

/**
 * What a bid costs, how fast the node is up and what it takes at rest, with ever more open auctions and with ever longer
 * logs. All sizes of a kind in turns, so that what else the machine does falls on all of them.
 */
export async function* run(): BenchRun {
  const auctions = AUCTIONS.map((count) => ({
    name: `${count.toLocaleString('en')} open auctions`,
    store: { auctions: count, bidsPerAuction: 1, bidsPerCommit: 1 },
    bidOn: BID_ON,
  }))
  const logs = LOG_LENGTHS.map((count) => ({
    name: `${count.toLocaleString('en')} bids in the auction`,
    store: { auctions: 1, bidsPerAuction: count, bidsPerCommit: BIDS_PER_COMMIT },
    bidOn: 1,
  }))
  yield* growth(auctions)
  yield* growth(logs)
}

async function* growth(sizes: readonly Size[]): BenchRun {
  const directory = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const homes = sizes.map((_, i) => join(directory, String(i)))
  const reports = sizes.map((): FullStoreReport[] => [])
  try {
    for (const [i, { name, store }] of sizes.entries()) {
      yield `writing a store with ${name}`
      await fillStore(homes[i] as string, store)
    }
    for (let round = 0; round < ROUNDS; round++) {
      for (const [i, { name, bidOn }] of sizes.entries()) {
        yield `${name}, round ${round + 1} of ${ROUNDS}`
        reports[i]?.push(await measured({ home: homes[i] as string, auctions: bidOn, ...LOAD }))
      }
    }
    for (const [i, size] of sizes.entries()) yield* results(size, reports[i] ?? [], reports[0] ?? [])
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measured(load: FullStoreLoad): Promise<FullStoreReport> {
  const { child } = await Child.start('../scale-parts/bids-on-full-store')
  try {
    return await child.ask<FullStoreReport>(load)
  } finally {
    child.end()
  }
}

function* results(
  { name }: Size,
  rounds: readonly FullStoreReport[],
  smallest: readonly FullStoreReport[],
): Generator<BenchResult, void> {
  const shares = rounds.map(({ cpuUsPerBid }, i) => cpuUsPerBid / (smallest[i]?.cpuUsPerBid ?? 0)).sort((a, b) => a - b)
  const of = (pick: (report: FullStoreReport) => number) => percentile(rounds.map(pick), 0.5)
  const isSmallest = rounds === smallest
  yield {
    name: `processor time of a bid with ${name}${isSmallest ? '' : ', of that with the fewest'}`,
    unit: isSmallest ? 'us' : 'of 1',
    value: isSmallest ? of(({ cpuUsPerBid }) => cpuUsPerBid) : percentile(shares, 0.5),
    figures: {
      cpu_us_a_bid: of(({ cpuUsPerBid }) => cpuUsPerBid),
      bids_per_s: of(({ bidsPerSecond }) => bidsPerSecond),
      lowest: shares[0] ?? 0,
      highest: shares.at(-1) ?? 0,
      rounds: rounds.length,
    },
    ...(!isSmallest && { target: { atMost: MOST_GROWTH } }),
  }
  yield {
    name: `start with ${name}`,
    unit: 'ms',
    value: of(({ startMs }) => startMs),
    figures: { at_rest_of_a_core: of(({ atRest }) => atRest) },
    target: { atMost: MOST_START_MS },
  }
  yield {
    name: `memory at rest with ${name}`,
    unit: 'MB',
    value: of(({ residentBytes }) => residentBytes) / 1_000_000,
    figures: {},
    target: { atMost: MOST_RESIDENT_MB },
  }
}

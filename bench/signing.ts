import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CreateNodeOptions, createNode, type VendueNode } from '../services/node/create-node.js'
import { newCommandId } from '../src/application/log/ids.js'
import { answerTo } from '../src/application/submissions/submission.js'
import { eventually } from '../test/support/eventually.js'
import { silentLogger } from '../test/support/silent-logger.js'
import { testSettings } from '../test/support/test-settings.js'
import type { BenchResult, BenchRun } from './bench-result.js'
import { load } from './latency.js'

const IN_FLIGHT = 256
const BIDS = Number(process.env.VENDUE_BENCH_BIDS ?? 40_000)
const ROUNDS = Number(process.env.VENDUE_BENCH_ROUNDS ?? 9)
const WARM_UP_BIDS = 5_000
const TARGET_SHARE = 0.15
/** As long as a true one, so that as many bytes travel and are stored. */
const EMPTY_SIGNATURE = 'A'.repeat(86)

type Crypto = 'real' | 'none'

/**
 * What signing and checking cost of the cross-node bids that `cross-node` measures: commits signed by the home and
 * checked by the replica, receipts signed by the home and checked by the bidder. Two pairs of nodes, one of which
 * signs nothing and believes everything, take turns; each pair goes first in every other round.
 */
export async function* run(): BenchRun {
  const directory = mkdtempSync(join(tmpdir(), 'vendue-bench-'))
  const pairs: Record<Crypto, Pair> = {
    real: await Pair.start(directory, 'real'),
    none: await Pair.start(directory, 'none'),
  }
  try {
    for (const crypto of ['real', 'none'] as const) await pairs[crypto].measure(WARM_UP_BIDS)
    const rates: Record<Crypto, number[]> = { real: [], none: [] }
    for (let round = 0; round < ROUNDS; round++) {
      yield `round ${round + 1} of ${ROUNDS}`
      const order: Crypto[] = round % 2 === 0 ? ['real', 'none'] : ['none', 'real']
      for (const crypto of order) rates[crypto].push(await pairs[crypto].measure(BIDS))
    }
    yield resultOf(rates)
  } finally {
    for (const pair of Object.values(pairs)) await pair.stop()
    rmSync(directory, { recursive: true, force: true })
  }
}

function resultOf({ real, none }: Record<Crypto, number[]>): BenchResult {
  // Of neighbours in time: what else the machine does weighs on both.
  const costs = real.map((rate, round) => 1 - rate / (none[round] as number))
  return {
    name: 'share of cross-node bids/s that signing and checking cost',
    unit: 'of 1',
    value: median(costs),
    figures: {
      least: Math.min(...costs),
      most: Math.max(...costs),
      of_medians: 1 - median(real) / median(none),
      signed_bids_per_s: median(real),
      unsigned_bids_per_s: median(none),
      signed_spread: `${Math.round(Math.min(...real))}..${Math.round(Math.max(...real))}`,
      unsigned_spread: `${Math.round(Math.min(...none))}..${Math.round(Math.max(...none))}`,
      rounds: real.length,
    },
    target: { atMost: TARGET_SHARE },
  }
}

/** A home in a process of its own, and a bidder here. */
class Pair {
  readonly #home: ReturnType<typeof fork>
  readonly #bidder: VendueNode
  #auctions = 0

  private constructor(home: ReturnType<typeof fork>, bidder: VendueNode) {
    this.#home = home
    this.#bidder = bidder
  }

  static async start(directory: string, crypto: Crypto): Promise<Pair> {
    const home = fork(fileURLToPath(import.meta.url), [directory, crypto])
    const [{ dhtAddress }] = (await once(home, 'message')) as [{ dhtAddress: string }]
    const settings = settingsOf(directory, 'bidder', crypto, [dhtAddress])
    const bidder = createNode(settings, { ...optionsOf(crypto), role: 'gateway' })
    await bidder.start()
    return new Pair(home, bidder)
  }

  /** Accepted bids per second. */
  async measure(bids: number): Promise<number> {
    const { services } = this.#bidder
    const deps = { clock: services.parts.clock, random: services.parts.random }
    const title = `round ${++this.#auctions}`
    this.#home.send(title)
    const [{ auctionId }] = (await once(this.#home, 'message')) as [{ auctionId: string }]
    await eventually('the bidder knows the auction', () => this.#bidder.api.show({ auction: auctionId }))
    const router = services.parts.router
    const bidders = [0, 1].map((i) => ({ id: `acc_bench${i}`, name: `Bidder ${i}` }))
    let accepted = 0
    const { ms } = await load(IN_FLIGHT, bids, async (i) => {
      const result = await answerTo(
        {
          command: {
            type: 'PlaceBid',
            auctionId,
            commandId: newCommandId('bid', deps),
            kind: 'plain',
            amount: i + 1,
            bidder: bidders[i % 2] as (typeof bidders)[number],
          },
        },
        (submission) => router.enqueue(submission),
      )
      if (!result.ok) throw new Error(`a bid has no outcome: ${result.code} ${result.message}`)
      if (result.outcome.status === 'accepted') accepted++
    })
    await eventually(
      'the replica has everything',
      async () => (await this.#bidder.api.show({ auction: auctionId })).state.bidCount === accepted,
      60_000,
    )
    return (accepted / ms) * 1_000
  }

  async stop(): Promise<void> {
    await this.#bidder.stop()
    const ended = once(this.#home, 'exit')
    this.#home.disconnect()
    await ended
  }
}

function settingsOf(directory: string, name: string, crypto: Crypto, bootstrap: readonly string[] = []) {
  const settings = testSettings({ home: join(directory, crypto), name, bootstrap })
  return { ...settings, mesh: `bench-signing-${crypto}` }
}

function optionsOf(crypto: Crypto): CreateNodeOptions {
  if (crypto === 'real') return { logger: silentLogger }
  return {
    logger: silentLogger,
    crypto: ({ publicKey }) => ({
      signer: { publicKey, sign: () => EMPTY_SIGNATURE },
      verifier: { verify: () => true, verifyBeside: () => Promise.resolve(true) },
    }),
  }
}

/** The home's process: opens an auction for each message, until its parent goes. */
async function serve(directory: string, crypto: Crypto): Promise<void> {
  const node = createNode(settingsOf(directory, 'home', crypto), optionsOf(crypto))
  await node.start()
  process.on('message', (title: string) => {
    const deps = { clock: node.services.parts.clock, random: node.services.parts.random }
    const commandId = newCommandId('cmd', deps)
    void node.api
      .open({ commandId, title, currency: 'EUR', start: '0.01', increment: '0.01' })
      .then(({ outcome }) => process.send?.({ auctionId: outcome.auctionId }))
  })
  process.on('disconnect', () => void node.stop().then(() => process.exit(0)))
  process.send?.({ dhtAddress: node.info.dhtAddress })
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0
}

const [, program, directory, crypto] = process.argv
if (program === fileURLToPath(import.meta.url) && directory !== undefined)
  await serve(directory, crypto === 'none' ? 'none' : 'real')

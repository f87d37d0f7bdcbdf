import { loadavg } from 'node:os'
import type { BenchRun } from '../bench-result.js'
import type { BidFigures, BidLoad } from './bid-client.js'

/** As much of a node with its gateway as is used here. */
interface Gateway {
  /** ws://... */
  readonly url: string
  open(): Promise<string>
  end(): Promise<void>
}

export interface AccountsBench {
  readonly load: Omit<BidLoad, 'url' | 'auctionId' | 'tokens'>
  start(options?: { readonly args: readonly string[]; readonly env: Record<string, string> }): Promise<Gateway>
  measure(load: BidLoad): Promise<BidFigures>
}

/** Both kinds in turns, so that what else the machine does meanwhile falls on both. */
const ROUNDS = 3
/** Registrations under way; a gateway lets 64 passwords wait. */
const AT_ONCE = 16
/** Everything is counted, and nothing refused. */
const LIMITS = [
  ...['bids_per_account', 'bids_per_address', 'calls_per_account', 'calls_per_address'],
  ...['connections_per_account', 'connections_per_address', 'registrations_per_address'],
]
  .map((name) => `${name}:1000000/1s`)
  .concat('open_connections_per_account:10000', 'open_connections_per_address:10000')
  .join(',')

/**
 * What accounts cost: bids of as many accounts as there are connections, each with its token looked at and its limits
 * counted, beside bids of names on trust, which have neither. Both have metrics, and the same client.
 */
export async function* bidsWithAccounts({ load, start, measure }: AccountsBench): BenchRun {
  const open = await start()
  const guarded = await start({ args: ['--auth', 'accounts'], env: { VENDUE_LIMITS: LIMITS } }).catch(
    async (error: unknown) => {
      await open.end()
      throw error
    },
  )
  try {
    const tokens = await register(guarded.url.replace('ws', 'http'), Math.max(2, load.connections))
    const rounds: { bids: BidFigures; share: number }[] = []
    for (let round = 0; round < ROUNDS; round++) {
      yield `with accounts, round ${round + 1} of ${ROUNDS}`
      const trusting = await measure({ ...load, url: `${open.url}/ws`, auctionId: await open.open() })
      const auctionId = await guarded.open()
      const bids = await measure({ ...load, url: `${guarded.url}/ws`, auctionId, tokens })
      if (bids.accepted === 0) throw new Error('no bid of an account was accepted')
      rounds.push({ bids, share: rateOf(bids) / rateOf(trusting) })
    }
    rounds.sort((a, b) => a.share - b.share)
    const middle = rounds[ROUNDS >> 1] as (typeof rounds)[number]
    const shares = rounds.map(({ share }) => share)
    const { p50_ms, p99_ms, rejected, failed } = middle.bids
    const level = `${load.connections} connections`
    yield {
      name: `durable bids over WebSocket with accounts and limits, ${level}`,
      unit: 'acknowledged bids/s',
      value: rateOf(middle.bids),
      figures: { p50_ms, p99_ms, rejected, failed, load_average: loadavg()[0] ?? 0 },
    }
    yield {
      name: `the same as a share of names on trust, ${level}`,
      unit: 'of 1',
      value: middle.share,
      figures: { rounds: ROUNDS, lowest: Math.min(...shares), highest: Math.max(...shares) },
    }
  } finally {
    await Promise.all([open.end(), guarded.end()])
  }
}

function rateOf({ accepted, seconds }: BidFigures): number {
  return accepted / seconds
}

/** As their users would. */
async function register(url: string, count: number): Promise<string[]> {
  const tokens: string[] = []
  const one = async (i: number) => {
    const response = await fetch(`${url}/auth/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: `bidder${i}`, password: `correct horse ${i} battery` }),
    })
    const text = await response.text()
    if (response.status !== 201) throw new Error(`registering was answered with ${response.status}: ${text}`)
    tokens.push((JSON.parse(text) as { access_token: string }).access_token)
  }
  for (let i = 0; i < count; i += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count - i) }, (_, nth) => one(i + nth)))
  return tokens
}

import { type Reply, RespClient } from './resp-client.js'

/**
 * The usual design: the auction is a hash, and one script looks and writes without anybody in between. It has what a
 * bid must be checked for: the end, the least amount, and whether this id has been decided before. Amounts are cents.
 */
const SCRIPT = `
local decided = redis.call('HGET', KEYS[2], ARGV[1])
if decided then return decided end
local ends_at, start, increment, price = unpack(redis.call('HMGET', KEYS[1], 'ends_at', 'start', 'increment', 'price'))
local now = redis.call('TIME')
local amount = tonumber(ARGV[3])
local minimum = price and price + increment or tonumber(start)
local outcome
if not ends_at then
  return 'AUCTION_UNKNOWN 0'
elseif now[1] * 1000 + now[2] / 1000 >= tonumber(ends_at) then
  outcome = 'AUCTION_ENDED 0'
elseif amount < minimum then
  outcome = string.format('BID_TOO_LOW %.0f', minimum)
else
  redis.call('HSET', KEYS[1], 'price', ARGV[3], 'leader', ARGV[2])
  outcome = 'ACCEPTED ' .. ARGV[3]
end
redis.call('HSET', KEYS[2], ARGV[1], outcome)
return outcome
`

export interface RedisOutcome {
  readonly code: 'ACCEPTED' | 'BID_TOO_LOW' | 'AUCTION_ENDED' | 'AUCTION_UNKNOWN'
  /** The price of an accepted bid, the minimum for one that is too low; otherwise 0. */
  readonly cents: number
}

export class RedisBids {
  readonly #client: RespClient
  readonly #sha: string

  private constructor(client: RespClient, sha: string) {
    this.#client = client
    this.#sha = sha
  }

  static async connect(socketPath: string): Promise<RedisBids> {
    const client = await RespClient.connect(socketPath)
    return new RedisBids(client, text(await client.command('SCRIPT', 'LOAD', SCRIPT)))
  }

  async open(id: string, terms: { start: number; increment: number; endsAt: number }): Promise<void> {
    const { start, increment, endsAt } = terms
    const fields = ['start', start, 'increment', increment, 'ends_at', endsAt].map(String)
    await this.#client.command('HSET', `auction:${id}`, ...fields)
  }

  async place(id: string, bidId: string, bidder: string, cents: number): Promise<RedisOutcome> {
    const keys = ['2', `auction:${id}`, `auction:${id}:bids`]
    const reply = text(await this.#client.command('EVALSHA', this.#sha, ...keys, bidId, bidder, String(cents)))
    const space = reply.indexOf(' ')
    return { code: reply.slice(0, space) as RedisOutcome['code'], cents: Number(reply.slice(space + 1)) }
  }

  async leader(id: string): Promise<string> {
    return text(await this.#client.command('HGET', `auction:${id}`, 'leader'))
  }

  end(): void {
    this.#client.end()
  }
}

/** A script that is wrong would be fast for nothing. Throws an `Error` that says what it did. */
export async function checkRules(bids: RedisBids): Promise<void> {
  const id = 'rules'
  await bids.open(id, { start: 100, increment: 10, endsAt: Date.now() + 60_000 })
  const steps: [bidId: string, bidder: string, cents: number, code: RedisOutcome['code'], cents: number][] = [
    ['b1', 'anna', 99, 'BID_TOO_LOW', 100],
    ['b2', 'anna', 100, 'ACCEPTED', 100],
    ['b3', 'ben', 109, 'BID_TOO_LOW', 110],
    ['b4', 'ben', 110, 'ACCEPTED', 110],
    ['b2', 'anna', 500, 'ACCEPTED', 100],
    ['b3', 'ben', 500, 'BID_TOO_LOW', 110],
  ]
  for (const [bidId, bidder, amount, code, cents] of steps) {
    const outcome = await bids.place(id, bidId, bidder, amount)
    if (outcome.code !== code || outcome.cents !== cents)
      throw new Error(`the Redis script said ${outcome.code} ${outcome.cents} to ${bidId} at ${amount}`)
  }
  const leader = await bids.leader(id)
  if (leader !== 'ben') throw new Error(`the Redis script has ${leader} lead`)
  await bids.open('over', { start: 100, increment: 10, endsAt: Date.now() - 1 })
  const { code } = await bids.place('over', 'b1', 'anna', 100)
  if (code !== 'AUCTION_ENDED') throw new Error(`the Redis script said ${code} after the end`)
}

function text(reply: Reply): string {
  if (typeof reply !== 'string') throw new Error(`Redis answered ${reply}`)
  return reply
}

import { nodeIdOf } from '../../../src/application/log/ids.js'
import type { Commit } from '../../../src/domain/commit.js'
import { SeededRandom } from '../../sim/seeded-random.js'
import { A_KEY, ALICE, BOB, HOUR, MINUTE, T0 } from '../auction-scenario.js'
import { type BuilderSetup, CommitBuilder } from '../commit-builder.js'

/** An auction whose home has a node's id that fits its key; nobody's signature is in it. */
export function auctionBuilder(setup: BuilderSetup = {}): CommitBuilder {
  return new CommitBuilder({ homeNodeId: nodeIdOf(A_KEY), signerKey: A_KEY, ...setup })
}

/** Logs of so many auctions of all kinds: the same seed makes the same commits, in the order in which they happen. */
export function seededCommits(seed: string, auctions: number): Commit[] {
  const random = new SeededRandom(seed)
  const logs = Array.from({ length: auctions }, (_, i) => seededAuction(random.stream(`auction ${i}`), `${seed}_${i}`))
  const commits: Commit[] = []
  while (logs.some((log) => log.length > 0)) {
    const next = random.pick(logs.filter((log) => log.length > 0))?.shift()
    if (next !== undefined) commits.push(next)
  }
  return commits
}

function seededAuction(random: SeededRandom, tag: string): Commit[] {
  const softClose = { windowMs: MINUTE, extensionMs: MINUTE, hardStopAt: null }
  const builder = auctionBuilder({
    tag,
    openedAt: T0 + random.int(0, 48) * HOUR,
    ...(random.chance(0.3) && { reserve: 9_000 }),
    ...(random.chance(0.5) && { closesAt: T0 + 100 * HOUR, softClose }),
    currency: random.pick([
      { code: 'USD', exponent: 2 },
      { code: 'JPY', exponent: 0 },
    ]) as { code: string; exponent: number },
  })
  const commits = [builder.open().commit]
  const count = random.int(0, 8)
  for (let i = 0; i < count; i++) commits.push(builder.bids(random.int(1, 6)).commit)
  if (random.chance(0.5)) {
    const price = builder.state.price ?? 7_500
    commits.push(builder.commit(builder.max(builder.state.leader?.id === ALICE.id ? BOB : ALICE, price + 5_000)).commit)
    commits.push(builder.bids(1).commit)
  }
  if (builder.state.closesAt !== null && random.chance(0.5))
    commits.push(builder.commit(builder.extend(builder.state.closesAt + HOUR)).commit)
  if (random.chance(0.7)) commits.push(builder.commit(builder.close()).commit)
  return commits
}

import type { Append } from '../../ports/store/event-log.js'

/** Appends of one auction, each of which follows the one before it. */
export type Chain = readonly [Append, ...Append[]]

/** Divides appends into chains as long as possible; an append that does not follow begins a chain of its own. */
export function chainsOf(entries: readonly Append[]): Chain[] {
  const chains: [Append, ...Append[]][] = []
  const newest = new Map<string, [Append, ...Append[]]>()
  for (const entry of entries) {
    const chain = newest.get(entry.commit.auctionId)
    if (chain !== undefined && follows(entry, chain)) chain.push(entry)
    else {
      const begun: [Append, ...Append[]] = [entry]
      chains.push(begun)
      newest.set(entry.commit.auctionId, begun)
    }
  }
  return chains
}

export function follows({ commit, prevHash }: Append, chain: Chain): boolean {
  const before = chain.at(-1) as Append
  return commit.firstSeq === before.commit.lastSeq + 1 && prevHash === before.commit.hash
}

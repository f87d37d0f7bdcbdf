import type { AuctionLogs } from '../../ports/store/auction-logs.js'
import type { ConsumerStore, Generation, Misfit } from '../../ports/store/consumer-store.js'

/** How far the rows of a consumer are, whoever works on them. */
export interface StoredProgress {
  readonly generations: readonly Generation[]
  /** Of the live generation. */
  readonly auctions: number
  readonly events: number
  /** Events that the node has, and the rows do not. */
  readonly behind: number
  readonly misfits: readonly Misfit[]
}

/** Compares what is stored with the logs of a node. */
export async function storedProgress(
  store: Pick<ConsumerStore<never>, 'open' | 'generations' | 'heads' | 'misfits'>,
  logs: Pick<AuctionLogs, 'heads'>,
): Promise<StoredProgress> {
  await store.open()
  const generations = await store.generations()
  const live = generations.find(({ state }) => state === 'live')?.number ?? 0
  let [auctions, events, behind] = [0, 0, 0]
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<AuctionLogs['heads']>> = await logs.heads(after)
    const ids = page.heads.map(({ auctionId }) => auctionId)
    const stored = await store.heads(live, ids)
    for (const { auctionId, seq } of page.heads) {
      const own = stored.get(auctionId)?.seq ?? 0
      if (own > 0) auctions += 1
      events += own
      behind += Math.max(0, seq - own)
    }
    after = page.next
  } while (after !== null)
  return { generations, auctions, events, behind, misfits: await store.misfits(live) }
}

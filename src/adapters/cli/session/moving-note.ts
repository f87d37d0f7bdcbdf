import type { Session } from '../parse/command.js'
import { sleep } from './waiting.js'

/** A command that is not answered within this may wait for an auction that moves. */
const LOOK_MS = 1_000

/** Says that the auction of a command under way moves to another node, where it does; until the signal aborts. */
export async function noteMoving(
  { api, out }: Pick<Session, 'api' | 'out'>,
  { auction, what }: { readonly auction: string; readonly what: string },
  over: AbortSignal,
): Promise<void> {
  const id = auction.startsWith('auc_') ? auction : `auc_${auction}`
  for (;;) {
    await sleep(LOOK_MS, over)
    if (over.aborted) return
    const moving = await api()
      .then((node) => node.moving({ after: null, waitMs: 0 }))
      .catch(() => null)
    if (over.aborted) return
    if (moving?.auctions.some(({ auctionId }) => auctionId.startsWith(id))) {
      out.note(`moving to another node; ${what} yet`)
      return
    }
  }
}

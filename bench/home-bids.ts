import type { VendueNode } from '../services/node/create-node.js'
import { systemClock } from '../src/adapters/system/system-clock.js'
import { systemRandom } from '../src/adapters/system/system-random.js'
import { newCommandId } from '../src/application/log/ids.js'
import { answerTo } from '../src/application/submissions/submission.js'

export const IDS = { clock: systemClock, random: systemRandom }

const BIDDERS = [0, 1].map((i) => ({ id: `acc_bench${i}`, name: `Bidder ${i}` }))

/** Bids at a node that is the auction's home, of two bidders in turns; rejects where one is not accepted. */
export function homeBids(node: VendueNode) {
  const house = node.services.parts.auctionHouse
  return async ({ auctionId, turn, amount }: { auctionId: string; turn: number; amount: number }): Promise<void> => {
    const bidder = BIDDERS[turn % 2] as (typeof BIDDERS)[number]
    const commandId = newCommandId('bid', IDS)
    const command = { type: 'PlaceBid', auctionId, commandId, bidder, kind: 'plain', amount } as const
    const result = await answerTo({ command }, (submission) => house.enqueue(submission))
    if (!result.ok || result.outcome.status !== 'accepted') throw new Error(`a bid failed: ${JSON.stringify(result)}`)
  }
}

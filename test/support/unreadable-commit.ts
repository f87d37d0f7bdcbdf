import { checkpointText, hashOf } from '../../src/application/log/commit.js'
import type { OpenedAuction } from '../../src/domain/auction.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import type { AuctionRecord } from '../../src/ports/store/auction-repository.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { Signer } from '../../src/ports/system/signer.js'

/** The seller calls an auction off with a reason that nobody else reads: what a home of another version may have written. */
export function unreadableCancel(
  { auctionId, head, state }: AuctionRecord,
  signer: Signer,
  at: number,
): Append {
  const reason = 'x'.repeat(501)
  const event: AuctionEvent = { type: 'AuctionCancelled', at, commandId: 'cmd_unreadable', reason }
  const firstSeq = head.seq + 1
  const content = { auctionId, firstSeq, prevHash: head.hash, parties: [], events: [event], orders: [] }
  const body = JSON.stringify(content)
  const hash = hashOf(body)
  const signature = signer.sign(checkpointText({ auctionId, lastSeq: firstSeq, hash }))
  const { owed: _, ...rest } = state as OpenedAuction & { owed?: unknown }
  const after = { ...rest, status: 'cancelled', seq: firstSeq, at, cancelledAt: at, reason } as OpenedAuction
  return {
    commit: { auctionId, firstSeq, lastSeq: firstSeq, body, hash, signer: signer.publicKey, signature },
    ...{ prevHash: head.hash, events: [event], state: after },
    secret: { secrets: { reserve: null, leaderMax: null }, sealed: [] },
    outcomes: [
      {
        outcome: { status: 'accepted', commandId: 'cmd_unreadable', auctionId, seq: firstSeq, at },
        fingerprint: `cancel ${auctionId}`,
      },
    ],
  }
}

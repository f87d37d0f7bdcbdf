import { checkpointText, hashOf } from '../../src/application/log/commit.js'
import { auctionIdOf } from '../../src/application/log/ids.js'
import type { OpenedAuction } from '../../src/domain/auction.js'
import type { Commit } from '../../src/domain/commit.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import type { AuctionRecord } from '../../src/ports/store/auction-repository.js'
import type { Append } from '../../src/ports/store/event-log.js'
import type { Signer } from '../../src/ports/system/signer.js'

/** A commit of whatever content, signed as any: software of one's own need not check what it writes. */
export function sealUnchecked(
  content: {
    auctionId: string | null
    firstSeq: number
    prevHash: string | null
    events: readonly unknown[]
  },
  signer: Signer,
): Commit {
  const body = JSON.stringify({ ...content, parties: [], mandates: [] })
  const hash = hashOf(body)
  const { firstSeq, events } = content
  const auctionId = content.auctionId ?? auctionIdOf(hash)
  const lastSeq = firstSeq + events.length - 1
  const signature = signer.sign(checkpointText({ auctionId, lastSeq, hash }))
  return { auctionId, firstSeq, lastSeq, body, hash, signer: signer.publicKey, signature }
}

/**
 * The seller calls an auction off with a reason that nobody else reads: what a home of another version may have
 * written.
 */
export function unreadableCancel({ auctionId, head, state }: AuctionRecord, signer: Signer, at: number): Append {
  const reason = 'x'.repeat(501)
  const event: AuctionEvent = { type: 'AuctionCancelled', at, commandId: 'cmd_unreadable', reason }
  const firstSeq = head.seq + 1
  const commit = sealUnchecked({ auctionId, firstSeq, prevHash: head.hash, events: [event] }, signer)
  const { owed: _, ...rest } = state as OpenedAuction & { owed?: unknown }
  const after = { ...rest, status: 'cancelled', seq: firstSeq, at, cancelledAt: at, reason } as OpenedAuction
  return {
    commit,
    prevHash: head.hash,
    events: [event],
    state: after,
    secret: { secrets: { reserve: null, leaderMax: null }, sealed: [] },
    outcomes: [
      {
        outcome: { status: 'accepted', commandId: 'cmd_unreadable', auctionId, seq: firstSeq, at },
        fingerprint: `cancel ${auctionId}`,
      },
    ],
  }
}

import type { AuctionCluster, OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import type { AuctionEvent, AuctionHandedOver, AuctionTakenOver } from '../../domain/events.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { takeoverRule } from './cluster-takeover.js'
import { isConsentOf, type Move } from './handover-consent.js'
import type { CommitBody } from './written-body.js'

/** An event that makes another node the home. */
export type MovingEvent = AuctionHandedOver | AuctionTakenOver

export function isMove(event: AuctionEvent | undefined): event is MovingEvent {
  return event?.type === 'AuctionHandedOver' || event?.type === 'AuctionTakenOver'
}

/**
 * Why a commit moves an auction although not everybody who has to has agreed: the new home to a handover, the cluster
 * to a takeover. Null if they have. Who signed the commit is checked elsewhere.
 */
export function moveRule(
  { auctionId, firstSeq: seq }: Pick<Commit, 'auctionId' | 'firstSeq'>,
  { events, prevHash }: Pick<CommitBody, 'events' | 'prevHash'>,
  before: Pick<OpenedAuction, 'home'> & { readonly cluster: Pick<AuctionCluster, 'key'> | null },
  verifier: SignatureVerifier,
): string | null {
  const [event] = events
  if (!isMove(event)) return null
  const { to } = event
  const move: Move = { auctionId, seq, prevHash: prevHash ?? '', from: before.home.nodeId, to: to.nodeId }
  if (event.type === 'AuctionTakenOver') return takeoverRule(move, event, before, verifier)
  const consent = { cluster: event.cluster, signature: event.consent }
  return isConsentOf(to.publicKey, move, consent, verifier) ? null : `${to.nodeId} has not agreed to be its home`
}

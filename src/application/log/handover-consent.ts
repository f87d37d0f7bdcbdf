import type { Auction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import type { CommitBody } from './written-body.js'

/** One move of one auction, at one place of its log. */
export interface Move {
  readonly auctionId: string
  /** Of the event that moves it. */
  readonly seq: number
  /** The log's end before that. */
  readonly prevHash: string
  /** Node ids. */
  readonly from: string
  readonly to: string
}

/**
 * What the new home signs: that it takes this auction over, from this home, at this end of its log. It holds all that
 * goes with the auction then; one step further on it says nothing any more.
 */
function consentText({ auctionId, seq, prevHash, from, to }: Move): string {
  return `vendue-handover-consent-v1\n${auctionId}\n${seq}\n${prevHash}\n${from}\n${to}\n`
}

export function signConsent(move: Move, signer: Signer): string {
  return signer.sign(consentText(move))
}

export function isConsentOf(publicKey: string, move: Move, consent: string, verifier: SignatureVerifier): boolean {
  return verifier.verify(consentText(move), consent, publicKey)
}

/** Why a commit moves an auction to a node that has not agreed to it; null where it does not. */
export function consentRule(
  { auctionId, firstSeq: seq }: Pick<Commit, 'auctionId' | 'firstSeq'>,
  { events, prevHash }: Pick<CommitBody, 'events' | 'prevHash'>,
  before: Pick<Extract<Auction, { home: unknown }>, 'home'>,
  verifier: SignatureVerifier,
): string | null {
  const [event] = events
  if (event?.type !== 'AuctionHandedOver') return null
  const { to, consent } = event
  const move = { auctionId, seq, prevHash: prevHash ?? '', from: before.home.nodeId, to: to.nodeId }
  return isConsentOf(to.publicKey, move, consent, verifier) ? null : `${to.nodeId} has not agreed to be its home`
}

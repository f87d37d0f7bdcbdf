import type { Consent } from '../../ports/mesh/home-messages.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'

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
 * What the new home signs: that it takes this auction over, from this home, at this end of its log, and for which
 * cluster. It holds all that goes with the auction then; one step further on it says nothing any more.
 */
function consentText({ auctionId, seq, prevHash, from, to }: Move, cluster: string | null): string {
  return `vendue-handover-consent-v2\n${auctionId}\n${seq}\n${prevHash}\n${from}\n${to}\n${cluster ?? '-'}\n`
}

export function signConsent(move: Move, cluster: string | null, signer: Signer): Consent {
  return { cluster, signature: signer.sign(consentText(move, cluster)) }
}

export function isConsentOf(
  publicKey: string,
  move: Move,
  { cluster, signature }: Consent,
  verifier: SignatureVerifier,
): boolean {
  return verifier.verify(consentText(move, cluster), signature, publicKey)
}

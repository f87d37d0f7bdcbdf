import { z } from 'zod'
import type { Head } from '../../domain/commit.js'
import type { Home } from '../../domain/party.js'
import type { SignedParcel } from '../../ports/mesh/home-messages.js'
import type { HandoverParcel } from '../../ports/store/handover-repository.js'
import type { SignatureVerifier, Signer } from '../../ports/system/signer.js'
import { hashOf } from '../log/commit.js'
import { openingSchema } from '../log/event-schema.js'
import { hex64, id, minor, seq } from '../log/input-schemas.js'
import { outcomeSchema } from '../submissions/outcome-schema.js'

/** One part of what goes with an auction. */
export interface HandoverPart extends HandoverParcel {
  /** The node that is to be the home. */
  readonly to: string
  /** Where the log has to end for the auction to move; in the last part only. */
  readonly head: Head | null
}

export const handoverPartSchema: z.ZodType<HandoverPart> = z.strictObject({
  to: id,
  outcomes: z.array(z.strictObject({ outcome: outcomeSchema, fingerprint: z.string().max(1_024) })),
  sealed: z.array(openingSchema.extend({ bidId: id, bidderId: id })),
  secrets: z.strictObject({ reserve: openingSchema.nullable(), leaderMax: minor.nullable() }).nullable(),
  head: z.strictObject({ seq, hash: hex64 }).nullable(),
})

/** What the home signs: for which auction, to whom, and the SHA-256 of the parcel. */
export function parcelText(auctionId: string, to: string, parcel: string): string {
  return `vendue-handover-v1\n${auctionId}\n${to}\n${hashOf(parcel)}\n`
}

export function signParcel(auctionId: string, part: HandoverPart, signer: Signer): SignedParcel {
  const parcel = JSON.stringify(part)
  return { auctionId, parcel, signature: signer.sign(parcelText(auctionId, part.to, parcel)) }
}

export function isParcelSigned(signed: SignedParcel, to: string, home: Home, verifier: SignatureVerifier): boolean {
  const { auctionId, parcel, signature } = signed
  return verifier.verify(parcelText(auctionId, to, parcel), signature, home.publicKey)
}

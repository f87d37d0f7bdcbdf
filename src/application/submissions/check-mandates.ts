import type { Commit } from '../../domain/commit.js'
import { type AuctionEvent, commandIdOf } from '../../domain/events.js'
import { MAX_MANDATE_AGE_MS } from '../../domain/limits.js'
import type { MandateFault } from '../../ports/mesh/mandate-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { timeText } from '../log/time-text.js'
import type { CommitBody } from '../log/written-body.js'
import { asSigned, isInTime, isMandateSigned, maySign, type SellerFacts } from './mandate.js'

type MandatedEvents = Pick<CommitBody, 'events' | 'mandates'>

/** What is wrong with the mandates of a commit's events; null where nothing is. */
export function mandateFault(
  { auctionId, signer, ...sellerFacts }: SellerFacts & Pick<Commit, 'auctionId' | 'signer'>,
  { events, mandates }: MandatedEvents,
  verifier: SignatureVerifier,
): MandateFault | null {
  const mandated = new Uint8Array(events.length)
  for (const { signer: mandatedBy, signedAt, commands } of mandates) {
    for (const command of commands) {
      if (typeof command === 'string') continue
      if (mandated[command] !== 0) return { kind: 'two-mandates', event: command }
      const event = events[command] as AuctionEvent
      const isTheirs = commandIdOf(event) !== null && maySign(mandatedBy, event, signer, sellerFacts)
      if (isTheirs && !isInTime(signedAt, event.at, MAX_MANDATE_AGE_MS))
        return { kind: 'out-of-time', event: command, signedAt }
      mandated[command] = isTheirs ? MANDATED : NAMED
    }
  }
  const event = eventWithoutMandate(events, mandated, { author: signer, sellerFacts })
  if (event !== null) return { kind: 'no-mandate', event }
  const isSigned = mandates.every((committed) => {
    const mandate = asSigned(auctionId, committed, { events, sellerFacts })
    return mandate !== null && isMandateSigned(auctionId, mandate, verifier)
  })
  return isSigned ? null : { kind: 'bad-signature' }
}

/** Of an event: that some mandate names it, and that it is one of somebody who may give it. */
const NAMED = 1
const MANDATED = 2

/**
 * The first one that carries out a command which stands in no mandate of a node that may give it. The author of the
 * commit gives his own by signing that.
 */
function eventWithoutMandate(
  events: readonly AuctionEvent[],
  mandated: Uint8Array,
  { author, sellerFacts }: { readonly author: string; readonly sellerFacts: SellerFacts },
): number | null {
  const found = events.findIndex(
    (event, i) =>
      mandated[i] !== MANDATED && commandIdOf(event) !== null && !maySign(author, event, author, sellerFacts),
  )
  return found === -1 ? null : found
}

/** For people: what is wrong with the mandate of an event that happened at this time. */
export function mandateRule(fault: MandateFault, at: number): string {
  switch (fault.kind) {
    case 'no-mandate':
      return 'nobody who may speak for its bidder, or the seller, has signed this'
    case 'two-mandates':
      return 'this stands in two mandates, or twice in one'
    case 'out-of-time': {
      const [signed, done] = [fault.signedAt, at].map(timeText)
      return `it was signed at ${signed} and carried out at ${done}: a mandate holds for ${MAX_MANDATE_AGE_MS / 60_000} minutes`
    }
    case 'bad-signature':
      return "the signature of a mandate is not its signer's"
    default: {
      const unknown: never = fault
      throw new Error(`unknown fault ${JSON.stringify(unknown)}`)
    }
  }
}

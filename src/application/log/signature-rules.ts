import type { Commit } from '../../domain/commit.js'
import type { Append } from '../../ports/store/event-log.js'
import type { BulkVerifier, SignatureVerifier } from '../../ports/system/signer.js'
import { isSigned, isSignedBeside } from './commit.js'
import { isMove } from './move-rule.js'

/** Of commits whose hash, chain, author's key and events have been found sound: those that may be stored. */
export interface CheckedSignatures {
  /** From the first one on, without a gap. */
  readonly covered: readonly Append[]
  /** The first one that is not signed as it should be; null if all are. */
  readonly unsigned: Commit | null
}

export type SignatureRule = (
  sound: readonly Append[],
  verifier: BulkVerifier,
) => CheckedSignatures | Promise<CheckedSignatures>

/** Every commit has to be signed: what is pushed comes one by one. */
export const CHECK_EACH = (sound: readonly Append[], verifier: SignatureVerifier): CheckedSignatures => {
  const bad = sound.findIndex(({ commit }) => !isSigned(commit, verifier))
  return bad === -1
    ? { covered: sound, unsigned: null }
    : { covered: sound.slice(0, bad), unsigned: (sound[bad] as Append).commit }
}

/**
 * A signed head covers all commits before it, through the chain of hashes: so of many commits at once it is enough to
 * check the last one of each author, and those that a proof against a home cannot do without: of its opening, and of
 * what made it the home. Where that fails, each is checked, so that what is good is kept and what is not is named. They
 * are checked beside the thread that serves, where a bulk pull would spend most of its time on them. Nothing is stored
 * on the strength of a signature that is still to come.
 */
export const FEWEST = async (sound: readonly Append[], verifier: BulkVerifier): Promise<CheckedSignatures> => {
  const due = sound.filter(({ commit, events }, i) => {
    const isCovered = sound[i + 1]?.commit.signer === commit.signer
    return !isCovered || makesHome(events)
  })
  const signed = await Promise.all(due.map(({ commit }) => isSignedBeside(commit, verifier)))
  return signed.every(Boolean) ? { covered: sound, unsigned: null } : CHECK_EACH(sound, verifier)
}

function makesHome([first]: Append['events']): boolean {
  return first?.type === 'AuctionOpened' || isMove(first)
}

import type { Auction, OpenedAuction } from '../../domain/auction.js'
import type { Commit } from '../../domain/commit.js'
import type { CommitFault, MandateChecker } from '../../ports/mesh/mandate-checker.js'
import type { SignatureVerifier } from '../../ports/system/signer.js'
import { BadCommitError, isSigned, readCommit, UNSIGNED } from '../log/commit.js'
import { type CommitBody, readBodyAgain } from '../log/written-body.js'
import { mandateFault, mandateRule } from '../submissions/check-mandates.js'
import { sellerFactsOf } from '../submissions/mandate.js'
import { InOrderOf } from '../turns/in-order.js'

export interface PushedCommitsDeps {
  readonly mandateChecker: MandateChecker
  readonly verifier: SignatureVerifier
}

/** Mandates of one push that are checked at once: to hand over so few costs more than to check them. */
export const MANDATES_AT_ONCE = 32
/**
 * Characters of one push's bodies that are checked at once. The text that takes longest to read takes 5 ms for so many.
 */
export const LENGTH_AT_ONCE = 64 * 1024

/** Reads and checks what came of one peer at once, pushed or pulled, in its order. */
export interface CommitReader {
  /**
   * What a commit on top of this state says, once its signature and its text are sound. Throws, or rejects with,
   * `BadCommitError` otherwise; a promise where the check goes on elsewhere.
   */
  read(commit: Commit, before: Auction): CommitBody | Promise<CommitBody>
  /** Of its mandates. Null if nothing is wrong; throws or rejects likewise. */
  checkMandates(commit: Commit, body: CommitBody, after: OpenedAuction): Promise<void> | null
}

/**
 * Checks commits that peers push: of each push a little at once, the rest beside the thread that serves. A peer has one
 * commit there at a time, so that whoever sends many of them keeps nobody waiting but itself. So a push costs this
 * thread, whatever is in it, no more than a signature for each commit, `LENGTH_AT_ONCE` to read and `MANDATES_AT_ONCE`
 * to check; only what has been found sound is read here beyond that.
 */
export class PushedCommits {
  readonly #deps: PushedCommitsDeps
  readonly #senders = new InOrderOf<string | null>()

  constructor(deps: PushedCommitsDeps) {
    this.#deps = deps
  }

  /** For one push of a peer, of any number of commits. */
  of(from: string | null): CommitReader {
    let [mandates, length] = [MANDATES_AT_ONCE, LENGTH_AT_ONCE]
    const checked = new WeakSet<CommitBody>()
    return {
      read: (commit, before) => {
        if (commit.body.length <= length) {
          length -= commit.body.length
          if (!isSigned(commit, this.#deps.verifier)) throw new BadCommitError(commit, UNSIGNED)
          return readCommit(commit)
        }
        return this.#readBeside(from, commit, before).then((body) => {
          checked.add(body)
          return body
        })
      },
      checkMandates: (commit, body, after) => {
        if (checked.has(body)) return null
        const { auctionId, signer } = commit
        const check = { auctionId, body: commit.body, signer, ...sellerFactsOf(after) }
        if (body.mandates.length > mandates)
          return this.#senders
            .run(from, () => this.#deps.mandateChecker.check(check))
            .then((fault) => throwFault(commit, body, fault))
        mandates -= body.mandates.length
        throwFault(commit, body, mandateFault(check, body, this.#deps.verifier))
        return null
      },
    }
  }

  async #readBeside(from: string | null, commit: Commit, before: Auction): Promise<CommitBody> {
    const { auctionId, firstSeq, lastSeq, body, hash, signer, signature } = commit
    const sellerFacts = before.status === 'unopened' ? null : sellerFactsOf(before)
    const check = { auctionId, firstSeq, lastSeq, body, hash, signer, signature, sellerFacts }
    const fault = await this.#senders.run(from, () => this.#deps.mandateChecker.checkCommit(check))
    if (fault?.kind === 'unsound') throw new BadCommitError(commit, fault.rule)
    const read = readBodyAgain(body)
    throwFault(commit, read, fault)
    return read
  }
}

function throwFault(commit: Commit, { events }: CommitBody, fault: Exclude<CommitFault, Unsound> | null): void {
  if (fault === null) return
  const event = fault.kind === 'bad-signature' ? null : events[fault.event]
  const place = fault.kind === 'bad-signature' ? '' : `event ${commit.firstSeq + fault.event}: `
  throw new BadCommitError(commit, `${place}${mandateRule(fault, event?.at ?? 0)}`)
}

type Unsound = { readonly kind: 'unsound' }

import type { Commit } from '../../domain/commit.js'
import type { MandateChecker } from '../../ports/mesh/mandate-checker.js'
import { BadCommitError, readCommit } from '../log/commit.js'
import { type CommitBody, readBodyAgain } from '../log/written-body.js'
import { type CommitReader, LENGTH_AT_ONCE } from './pushed-commits.js'

/** A bid is one list of 50 characters or more. */
const CHARACTERS_FOR_EACH = 24
/** An opening has many keys, and is short. */
const FREE = 200

/**
 * Reads commits that this node has asked for: bids where it serves, since to hand them over would cost a bulk pull more
 * than to read them. Texts of more lists and keys than bids have may take many times as long: a little of them of each
 * answer is read at once, and the rest beside that thread. They are only read again, without checks, when they are
 * known to be sound. Mandates are left to `verify`: there may be one for each bid.
 */
export class PulledCommits {
  readonly #mandateChecker: Pick<MandateChecker, 'checkText'>

  constructor(deps: { readonly mandateChecker: Pick<MandateChecker, 'checkText'> }) {
    this.#mandateChecker = deps.mandateChecker
  }

  /** For one answer of a peer. */
  reader(): CommitReader {
    let length = LENGTH_AT_ONCE
    return {
      read: (commit) => {
        if (!isDense(commit.body)) return readCommit(commit)
        length -= commit.body.length
        return length >= 0 ? readCommit(commit) : this.#readBeside(commit)
      },
      checkMandates: () => null,
    }
  }

  async #readBeside(commit: Commit): Promise<CommitBody> {
    const rule = await this.#mandateChecker.checkText(commit)
    if (rule !== null) throw new BadCommitError(commit, rule)
    return readBodyAgain(commit.body)
  }
}

/** Whether a text has more lists, objects and keys than bids: to look for them takes a fiftieth of reading it. */
function isDense(text: string): boolean {
  let left = FREE + text.length / CHARACTERS_FOR_EACH
  for (const mark of MARKS)
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, at + 1)) if (--left < 0) return true
  return false
}

const MARKS = ['[', '{', ':']

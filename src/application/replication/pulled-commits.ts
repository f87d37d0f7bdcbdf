import type { Commit } from '../../domain/commit.js'
import type { MandateChecker, UnsoundText } from '../../ports/mesh/mandate-checker.js'
import { BadCommitError, readCommit } from '../log/commit.js'
import { type CommitBody, readBodyAgain } from '../log/written-body.js'
import { type CommitReader, LENGTH_AT_ONCE } from './pushed-commits.js'

/** Characters of bodies that are read beside the thread in one errand; a longer body goes by itself. */
export const LENGTH_OF_ERRAND = 256 * 1024

/**
 * Reads commits that this node has asked for: of each answer a little at once, the rest beside the thread that serves,
 * in errands of some commits each. Here these are only read again, without checks, when they are known to be sound.
 * Mandates are left to `verify`: there may be one for each bid.
 */
export class PulledCommits {
  readonly #mandateChecker: Pick<MandateChecker, 'checkTexts'>

  constructor(deps: { readonly mandateChecker: Pick<MandateChecker, 'checkTexts'> }) {
    this.#mandateChecker = deps.mandateChecker
  }

  /** For one answer of a peer: pages of one auction each. */
  of(pages: readonly (readonly Commit[])[]): CommitReader {
    const errands = this.#errandsFor(pages)
    return {
      read: (commit) => {
        const errand = errands.get(commit)
        if (errand === undefined) return readCommit(commit)
        // To wait costs each commit, and most of them have been read together with the one before.
        return errand.isDone ? errand.bodyOf(commit) : errand.run().then(() => errand.bodyOf(commit))
      },
      checkMandates: () => null,
    }
  }

  /** Of the commits that are not read at once. */
  #errandsFor(pages: readonly (readonly Commit[])[]): ReadonlyMap<Commit, Errand> {
    const errands = new Map<Commit, Errand>()
    let atOnce = LENGTH_AT_ONCE
    for (const commits of pages) {
      let errand = null as Errand | null
      for (const commit of commits) {
        const { length } = commit.body
        if (length <= atOnce) atOnce -= length
        else {
          atOnce = 0
          errand = errand?.add(commit) ?? new Errand(this.#mandateChecker, commit, errand)
          errands.set(commit, errand)
        }
      }
    }
    return errands
  }
}

/** Commits of one auction that are read together. */
class Errand {
  readonly #mandateChecker: Pick<MandateChecker, 'checkTexts'>
  readonly #commits: Commit[]
  #length: number
  #next: Errand | null = null
  #running: Promise<void> | null = null
  #found: UnsoundText | null | undefined

  constructor(mandateChecker: Pick<MandateChecker, 'checkTexts'>, first: Commit, before: Errand | null) {
    this.#mandateChecker = mandateChecker
    this.#commits = [first]
    this.#length = first.body.length
    if (before !== null) before.#next = this
  }

  /** Null where it has no room for this commit. */
  add(commit: Commit): this | null {
    if (this.#length + commit.body.length > LENGTH_OF_ERRAND) return null
    this.#length += commit.body.length
    this.#commits.push(commit)
    return this
  }

  get isDone(): boolean {
    return this.#found !== undefined
  }

  /** Resolves when they have been read; rejects where they cannot be. */
  run(): Promise<void> {
    this.#running ??= this.#read()
    return this.#running
  }

  begin(): void {
    if (this.#running === null) this.run().catch(() => {})
  }

  async #read(): Promise<void> {
    this.#found = await this.#mandateChecker.checkTexts(this.#commits)
  }

  /** Throws `BadCommitError` for the first one that is unsound; nobody asks for those after it. */
  bodyOf(commit: Commit): CommitBody {
    const found = this.#found
    // The next ones are read while these are taken in.
    this.#next?.begin()
    if (found && this.#commits[found.place] === commit) throw new BadCommitError(commit, found.rule)
    return readBodyAgain(commit.body)
  }
}

import { Ed25519Verifier } from '../../src/adapters/system/node-key.js'
import { InPlaceMandateChecker } from '../../src/application/submissions/in-place-mandate-checker.js'
import type { Commit } from '../../src/domain/commit.js'
import type {
  CommitCheck,
  CommitFault,
  MandateCheck,
  MandateChecker,
  MandateFault,
} from '../../src/ports/mesh/mandate-checker.js'

/** Stands for the thread that checks: answers when it is let, and remembers what it was asked. */
export class HeldChecker implements MandateChecker {
  readonly asked: MandateCheck[] = []
  readonly read: CommitCheck[] = []
  /** Of which the text alone was asked about. */
  readonly texts: Commit[] = []
  readonly #inPlace = new InPlaceMandateChecker({ verifier: new Ed25519Verifier() })
  readonly #held: (() => void)[] = []
  isHeld = false
  fails = false

  async check(commit: MandateCheck): Promise<MandateFault | null> {
    this.asked.push(commit)
    await this.#wait()
    return this.#inPlace.check(commit)
  }

  async checkCommit(commit: CommitCheck): Promise<CommitFault | null> {
    this.read.push(commit)
    await this.#wait()
    return this.#inPlace.checkCommit(commit)
  }

  async checkText(commit: Commit): Promise<string | null> {
    this.texts.push(commit)
    await this.#wait()
    return this.#inPlace.checkText(commit)
  }

  async #wait(): Promise<void> {
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve))
    if (this.fails) throw new Error('the thread has ended')
  }

  release(): void {
    this.#held.shift()?.()
  }
}

/** Checks that run elsewhere meanwhile; their failures are reported in the order of asking. */
export class PendingChecks {
  #checks: Promise<Error | null>[] = []

  /** The check resolves with what is wrong, if anything is. */
  add(check: Promise<Error | null>): void {
    // Its failure is reported when its turn comes.
    check.catch(() => {})
    this.#checks.push(check)
  }

  /** Waits until no more than `most` are under way. Rejects with the first failure. */
  async settle(most = 0): Promise<void> {
    if (this.#checks.length <= most) return
    const settled = this.#checks.splice(0, this.#checks.length - most)
    for (const check of settled) {
      const wrong = await check
      if (wrong !== null) throw wrong
    }
  }
}

interface Check {
  readonly holds: Promise<boolean>
  readonly refusal: () => Error
}

/** Checks that are made elsewhere meanwhile; they are answered for in the order in which they were asked for. */
export class PendingChecks {
  #checks: Check[] = []

  /** `refusal`: what is wrong if it does not hold. */
  add(holds: Promise<boolean>, refusal: () => Error): void {
    this.#checks.push({ holds, refusal })
  }

  /** Waits until no more than `most` are under way. Rejects with the first refusal. */
  async settle(most = 0): Promise<void> {
    if (this.#checks.length <= most) return
    const settled = this.#checks.splice(0, this.#checks.length - most)
    for (const { holds, refusal } of settled) if (!(await holds)) throw refusal()
  }
}

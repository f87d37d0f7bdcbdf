/** How late a timer may fire before this node blames itself. */
export const LAG_MS = 250
const HEAVY_LAG_MS = 1_000
const MAX_SCORE = 2
const STRETCH_PER_SCORE = 0.5

/**
 * How far this node may trust its own view of the others (Lifeguard's local health). A node that lags, or that hears
 * from nobody at all, is more likely to be at fault than all of its peers, and so waits longer before it judges them.
 */
export class LocalHealth {
  #score = 0
  #laggedInRound = false

  /** The factor by which time-outs are stretched: 1 to 2. */
  get stretch(): number {
    return 1 + this.#score * STRETCH_PER_SCORE
  }

  /** A timer of this node fired `byMs` late. */
  late(byMs: number): void {
    if (byMs <= LAG_MS) return
    this.#laggedInRound = true
    this.#raise(byMs >= HEAVY_LAG_MS ? MAX_SCORE : 1)
  }

  /** Others doubt that this node is alive. */
  accused(): void {
    this.#raise(1)
  }

  /** A round of probes: how many peers answered, and how many kept silent. */
  probed({ answered, silent }: { answered: number; silent: number }): void {
    if (silent > 0 && answered === 0) this.#score = Math.max(this.#score, 1)
    else if (answered > 0 && !this.#laggedInRound) this.#score = Math.max(0, this.#score - 1)
    this.#laggedInRound = false
  }

  #raise(by: number): void {
    this.#score = Math.min(MAX_SCORE, this.#score + by)
  }
}

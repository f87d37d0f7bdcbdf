import type { Budget } from '../../../application/budgets/budgets.js'

/** How long work is started before the event loop serves its sockets again. */
const SLICE_MS = 5
/** The most turns in one slice. */
const MAX_TURNS_PER_SLICE = 32

/** The bytes per millisecond that a thread decrypts and assembles. */
const READ_BYTES_PER_MS = 100_000
const PACE_STEP_MS = 20
const MAX_PACE_MS = 2_000

/**
 * Shares the thread among senders: while requests of several wait, whoever has used least of it lately goes first. So a
 * sender that keeps the thread busy waits for itself, and the others no longer than the one piece of work that is being
 * done. With nobody waiting a request is carried out at once, however much its sender has used.
 */
export class FairTurns {
  readonly #work: Budget
  readonly #waiting = new Map<string, (() => void)[]>()
  /** The sender whose work runs now, until the event loop goes on. */
  #running: { readonly sender: string; readonly startedMs: number } | null = null
  #scheduled = false
  #sliceStartedMs = 0

  constructor(work: Budget) {
    this.#work = work
  }

  /** Runs the job when its sender's turn has come; what it does without waiting for anything counts. */
  run(sender: string, job: () => void): void {
    if (this.#running === null && !this.#scheduled) {
      this.#begin(sender, job)
      setImmediate(() => this.#slice())
      this.#scheduled = true
      return
    }
    const jobs = this.#waiting.get(sender)
    if (jobs === undefined) this.#waiting.set(sender, [job])
    else jobs.push(job)
  }

  /** Resolves when the sender's turn has come. */
  turn(sender: string): Promise<void> {
    return new Promise((resolve) => this.run(sender, resolve))
  }

  /**
   * To be called before a large request is read, which takes time that no turn counts. Who has used up its time waits,
   * so that the network slows it down.
   */
  async pace(sender: string, bytes: number): Promise<void> {
    const startedMs = performance.now()
    while (this.#work.isSpent(sender) && performance.now() - startedMs < MAX_PACE_MS)
      await new Promise((resolve) => setTimeout(resolve, PACE_STEP_MS))
    if (bytes > 0) this.#work.charge(sender, bytes / READ_BYTES_PER_MS)
  }

  #begin(sender: string, job: () => void): void {
    this.#running = { sender, startedMs: performance.now() }
    job()
  }

  #end(): void {
    if (this.#running === null) return
    const { sender, startedMs } = this.#running
    this.#running = null
    this.#work.charge(sender, performance.now() - startedMs)
  }

  /**
   * One immediate for each waiting job, and one behind it: all that a job does before it waits for the outside, in
   * promises too, happens between the two, so that it is the sender's own time that is counted.
   */
  #slice(): void {
    this.#end()
    this.#sliceStartedMs = performance.now()
    let jobs = 0
    for (const { length } of this.#waiting.values()) jobs += length
    if (jobs === 0) {
      this.#scheduled = false
      return
    }
    for (let i = 0; i < Math.min(jobs, MAX_TURNS_PER_SLICE); i++) {
      setImmediate(() => this.#next())
      setImmediate(() => this.#end())
    }
    setImmediate(() => this.#slice())
  }

  #next(): void {
    if (performance.now() - this.#sliceStartedMs > SLICE_MS) return
    let chosen: string | null = null
    let least = Number.POSITIVE_INFINITY
    for (const sender of this.#waiting.keys()) {
      const used = this.#work.used(sender)
      if (used < least) [chosen, least] = [sender, used]
    }
    const jobs = chosen === null ? undefined : this.#waiting.get(chosen)
    const job = jobs?.shift()
    if (chosen === null || job === undefined) return
    if (jobs?.length === 0) this.#waiting.delete(chosen)
    this.#begin(chosen, job)
  }
}

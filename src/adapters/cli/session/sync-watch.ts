import type { SyncStatus } from '../../../ports/node/node-status.js'
import type { Output } from '../render/output.js'
import { ProgressLine } from '../render/progress-line.js'
import { syncBar, syncText } from '../render/sync-text.js'
import type { OutputStream } from './cli-io.js'
import { sleep } from './waiting.js'

export interface SyncWatchOptions {
  /**
   * Where the bar is drawn, on a line of its own; without it, or if it is no terminal, lines are printed now and then.
   */
  readonly terminal?: OutputStream
  /** Between two lines. */
  readonly lineIntervalMs: number
  /** Puts a bar into these lines, for a terminal on which it cannot stay in place. */
  readonly barInLines?: boolean
  readonly signal: AbortSignal
}

const IDLE_POLL_MS = 500
const POLL_MS = 100
/** A shorter sync is not reported. */
const SHOWN_AFTER_MS = 300

/** Shows the node's syncs while they last: a bar on a terminal, lines elsewhere, nothing with `--json`. */
export class SyncWatch {
  readonly #out: Output
  readonly #options: SyncWatchOptions
  readonly #bar: ProgressLine | null
  #lineAt = Number.NEGATIVE_INFINITY
  #shown: SyncStatus | null = null

  constructor(out: Output, options: SyncWatchOptions) {
    this.#out = out
    this.#options = options
    const { terminal } = options
    this.#bar = terminal?.isTTY && !out.json ? new ProgressLine(terminal, { total: 1, shown: true }) : null
  }

  /** Takes the bar away, before something else is written to the terminal; it comes back with the next step. */
  makeWay(): void {
    this.#bar?.clear()
  }

  /** Resolves when the signal aborts. */
  async run(node: { readonly sync: SyncStatus }): Promise<void> {
    const { signal } = this.#options
    while (!signal.aborted) {
      const { sync } = node
      this.#show(sync)
      await sleep(sync.state === 'syncing' ? POLL_MS : IDLE_POLL_MS, signal)
    }
    this.#bar?.clear()
  }

  #show(sync: SyncStatus): void {
    if (sync.state === 'syncing') {
      if (sync.total === 0 || this.#out.look.now() - sync.since < SHOWN_AFTER_MS) return
      this.#shown = sync
      if (this.#bar) this.#bar.draw(syncBar(sync))
      else this.#line(this.#options.barInLines ? syncBar(sync) : syncText(sync))
    } else if (this.#shown !== null) {
      this.#bar?.clear()
      const end = sync.state === 'synced' ? `synced ${sync.done.toLocaleString('en')} events` : syncText(sync)
      this.#out.lines(end)
      this.#shown = null
      this.#lineAt = Number.NEGATIVE_INFINITY
    }
  }

  #line(text: string): void {
    const now = performance.now()
    if (now - this.#lineAt < this.#options.lineIntervalMs) return
    this.#lineAt = now
    this.#out.lines(text)
  }
}

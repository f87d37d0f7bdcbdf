import type { ReceiptRepository, SignedReceipts } from '../../ports/store/receipt-repository.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { ReceiptWatch } from '../proof/receipt-watch.js'

export interface ReceiptKeeperDeps {
  readonly receipts: Pick<ReceiptRepository, 'add'>
  readonly receiptWatch: Pick<ReceiptWatch, 'kept'>
  readonly timers: Timers
  readonly logger: Logger
}

/** How long receipts are gathered before they are written together: bids come first. */
const GATHER_MS = 200
/** The most signed answers that are gathered. */
const MAX_GATHERED = 256

/** Stores receipts in the background: nobody waits for them, and many share one write. */
export class ReceiptKeeper {
  readonly #deps: ReceiptKeeperDeps
  #gathered: SignedReceipts[] = []
  #timer: Timer | null = null
  #writing: Promise<void> = Promise.resolve()

  constructor(deps: ReceiptKeeperDeps) {
    this.#deps = deps
  }

  /** Resolves at once, unless so many wait that the caller has to. */
  async keep(signed: SignedReceipts): Promise<void> {
    this.#deps.receiptWatch.kept(signed)
    this.#gathered.push(signed)
    if (this.#gathered.length >= MAX_GATHERED) return this.flush()
    this.#timer ??= this.#deps.timers.after(GATHER_MS, () => void this.flush())
  }

  /** Resolves when everything is durable, or could not be stored, which is logged. */
  flush(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = null
    const gathered = this.#gathered
    this.#gathered = []
    if (gathered.length > 0) this.#writing = this.#writing.then(() => this.#write(gathered))
    return this.#writing
  }

  async #write(gathered: readonly SignedReceipts[]): Promise<void> {
    try {
      await this.#deps.receipts.add(gathered)
    } catch (error) {
      this.#deps.logger.error(
        { err: error, answers: gathered.length },
        'receipts could not be kept; asking again with the same ids brings new ones',
      )
    }
  }
}

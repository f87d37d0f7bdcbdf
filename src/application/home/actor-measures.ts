import type { SubmitResult } from '../../ports/mesh/home-messages.js'
import type { Outcome } from '../../ports/store/outcome-repository.js'
import { type Counter, type Histogram, type Metrics, stepSeconds } from '../../ports/system/metrics.js'

const DECIDED = 'Commands decided at this home, by outcome and code.'

/** What the actors of a house measure together: once for each batch, never for each bid, save for a count. */
export class ActorMeasures {
  readonly #metrics: Metrics
  readonly #decided = new Map<string, Counter>()
  /** The longest wait of a batch's commands. */
  readonly mailbox: Histogram
  readonly decide: Histogram
  readonly append: Histogram
  readonly batch: Histogram

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    this.mailbox = stepSeconds(metrics, 'mailbox')
    this.decide = stepSeconds(metrics, 'decide')
    this.append = stepSeconds(metrics, 'append')
    this.batch = metrics.sizes('vendue_batch_commands', 'Commands decided together.')
  }

  decided(results: readonly SubmitResult[]): void {
    for (const result of results) if (result.ok) this.#counter(result.outcome).inc()
  }

  #counter(outcome: Outcome): Counter {
    const code = outcome.status === 'rejected' ? outcome.rejection.code : ''
    let counter = this.#decided.get(code)
    if (counter === undefined) {
      const labels = { outcome: outcome.status, code }
      counter = this.#metrics.counter('vendue_commands_decided_total', DECIDED, labels)
      this.#decided.set(code, counter)
    }
    return counter
  }
}

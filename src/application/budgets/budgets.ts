/** Room `budgets`: what one sender may use up of a node, so that the others get their share. */

import type { BudgetStatus } from '../../ports/node/node-status.js'
import type { Clock } from '../../ports/system/clock.js'
import type { Logger } from '../../ports/system/logger.js'
import { type Counter, type Metrics, NO_METRICS } from '../../ports/system/metrics.js'
import { type BudgetLimits, type BudgetName, type BudgetTerms, SENDER_BUDGETS } from './sender-budgets.js'

export interface BudgetsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics?: Metrics
}

/** Senders that each budget remembers; beyond this, further ones share one budget. */
const MAX_SENDERS = 10_000
const OTHERS = '(others)'
const MIN_SWEEP_INTERVAL_MS = 1_000
/** The log names a sender that has used up a budget once in this time. */
const REPORT_INTERVAL_MS = 60_000

interface Use {
  amount: number
  /** Monotonic: when `amount` was right. */
  atMs: number
  reportedAtMs: number
}

/** One thing that senders use up, and how much of it each of them has used. */
export class Budget {
  readonly name: BudgetName
  readonly terms: BudgetTerms
  readonly #deps: BudgetsDeps
  readonly #uses = new Map<string, Use>()
  readonly #refusals: Counter
  #refused = 0
  #sweptAtMs = Number.NEGATIVE_INFINITY

  constructor(deps: BudgetsDeps, name: BudgetName, terms: BudgetTerms) {
    this.#deps = deps
    this.name = name
    this.terms = terms
    const help = 'Refused or put off because a sender has used up a budget.'
    this.#refusals = (deps.metrics ?? NO_METRICS).counter('vendue_budget_refused_total', help, {
      budget: name,
    })
  }

  /** False, with nothing taken, where the sender has not as much left. */
  take(sender: string, amount = 1): boolean {
    const use = this.#use(sender)
    if (use.amount + amount > this.terms.limit) {
      this.#refuse(sender, use)
      return false
    }
    use.amount += amount
    return true
  }

  /** Takes what has been used already, be it more than was left. */
  charge(sender: string, amount: number): void {
    const use = this.#use(sender)
    const before = use.amount
    use.amount += amount
    if (before <= this.terms.limit && use.amount > this.terms.limit) this.#refuse(sender, use)
  }

  give(sender: string, amount = 1): void {
    const use = this.#use(sender)
    use.amount = Math.max(0, use.amount - amount)
    if (use.amount === 0) this.#uses.delete(this.#keyOf(sender))
  }

  used(sender: string): number {
    const use = this.#uses.get(this.#keyOf(sender))
    return use === undefined ? 0 : this.#left(use)
  }

  /** Whether the sender has to wait until it may take anything. */
  isSpent(sender: string): boolean {
    return this.used(sender) >= this.terms.limit
  }

  status(): BudgetStatus {
    let fullest: BudgetStatus['fullest'] = null
    for (const [sender, use] of this.#uses) {
      const used = Math.round(this.#left(use))
      if (used > (fullest?.used ?? 0)) fullest = { sender, used }
    }
    const { unit, limit, refillMs } = this.terms
    return { name: this.name, unit, limit, refillMs, fullest, refused: this.#refused }
  }

  /** What is used up now, with what has come back since. */
  #left(use: Use): number {
    const { limit, refillMs } = this.terms
    if (refillMs === null) return use.amount
    const now = this.#deps.clock.monotonicMs()
    use.amount = Math.max(0, use.amount - ((now - use.atMs) * limit) / refillMs)
    use.atMs = now
    return use.amount
  }

  #keyOf(sender: string): string {
    return this.#uses.has(sender) || this.#uses.size < MAX_SENDERS ? sender : OTHERS
  }

  #use(sender: string): Use {
    const known = this.#uses.get(sender)
    if (known !== undefined) {
      this.#left(known)
      return known
    }
    if (this.#uses.size >= MAX_SENDERS) this.#sweep()
    const key = this.#keyOf(sender)
    const shared = this.#uses.get(key)
    if (shared !== undefined) {
      this.#left(shared)
      return shared
    }
    const use: Use = {
      amount: 0,
      atMs: this.#deps.clock.monotonicMs(),
      reportedAtMs: Number.NEGATIVE_INFINITY,
    }
    this.#uses.set(key, use)
    return use
  }

  /** Forgets those whose budget is whole again. */
  #sweep(): void {
    const now = this.#deps.clock.monotonicMs()
    if (now - this.#sweptAtMs < MIN_SWEEP_INTERVAL_MS) return
    this.#sweptAtMs = now
    for (const [sender, use] of this.#uses) if (this.#left(use) === 0) this.#uses.delete(sender)
  }

  #refuse(sender: string, use: Use): void {
    this.#refused += 1
    this.#refusals.inc()
    const now = this.#deps.clock.monotonicMs()
    if (now - use.reportedAtMs < REPORT_INTERVAL_MS) return
    use.reportedAtMs = now
    const { unit, limit } = this.terms
    this.#deps.logger.warn({ budget: this.name, sender, limit, unit }, 'a sender has used up its budget')
  }
}

/**
 * What each sender may make this node keep, hold, compute or wait for: one budget for each such thing, the same for all
 * senders and apart for each, so that one that floods this node uses up its own share and nobody else's.
 */
export class Budgets {
  readonly #budgets: ReadonlyMap<BudgetName, Budget>

  /** `limits` replaces some. */
  constructor(deps: BudgetsDeps, limits: BudgetLimits = {}) {
    const names = Object.keys(SENDER_BUDGETS) as BudgetName[]
    this.#budgets = new Map(
      names.map((name) => {
        const terms: BudgetTerms = SENDER_BUDGETS[name]
        return [name, new Budget(deps, name, { ...terms, limit: limits[name] ?? terms.limit })]
      }),
    )
    const gauge = (metric: string, help: string, read: (status: BudgetStatus) => number) =>
      (deps.metrics ?? NO_METRICS).gauge(metric, help, () =>
        this.status().map((status) => ({ labels: { budget: status.name }, value: read(status) })),
      )
    gauge('vendue_budget_limit', 'What one sender may use.', ({ limit }) => limit)
    gauge('vendue_budget_used', 'What the sender that uses most has used.', ({ fullest }) => fullest?.used ?? 0)
  }

  of(name: BudgetName): Budget {
    const budget = this.#budgets.get(name)
    if (budget === undefined) throw new Error(`there is no budget ${name}`)
    return budget
  }

  status(): BudgetStatus[] {
    return [...this.#budgets.values()].map((budget) => budget.status())
  }
}

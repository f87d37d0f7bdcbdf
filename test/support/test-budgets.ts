import { systemClock } from '../../src/adapters/system/system-clock.js'
import { Budgets } from '../../src/application/budgets/budgets.js'
import type { BudgetName } from '../../src/application/budgets/sender-budgets.js'
import type { Clock } from '../../src/ports/system/clock.js'
import { silentLogger } from './silent-logger.js'

/** Those of a node, some of them smaller. */
export function testBudgets(limits: Partial<Record<BudgetName, number>> = {}, clock: Clock = systemClock): Budgets {
  return new Budgets({ clock, logger: silentLogger }, limits)
}

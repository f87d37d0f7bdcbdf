import { printable } from '../../../domain/limits.js'
import type { BudgetStatus } from '../../../ports/node/node-status.js'

/** Which budgets somebody has used up since the start, and who uses most of them. */
export function budgetText(budgets: readonly BudgetStatus[]): string {
  const reached = budgets.filter(({ refused }) => refused > 0)
  if (reached.length === 0) return 'nobody has used any up'
  return reached
    .map(({ name, unit, limit, fullest, refused }) => {
      const most = fullest ? `, most by ${printable(fullest.sender)} (${count(fullest.used)})` : ''
      return `${name} of ${count(limit)} ${unit}: used up ${count(refused)} times${most}`
    })
    .join('; ')
}

function count(amount: number): string {
  return amount.toLocaleString('en-US')
}

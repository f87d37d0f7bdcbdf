import { z } from 'zod'
import { type BudgetLimits, type BudgetName, type BudgetTerms, SENDER_BUDGETS } from './sender-budgets.js'

const BUDGET_NAMES = Object.keys(SENDER_BUDGETS) as BudgetName[]
const AMOUNT = /^(\d{1,15})([A-Za-z]*)$/
const BYTES = { KiB: 1_024, MiB: 1_024 ** 2, GiB: 1_024 ** 3, TiB: 1_024 ** 4 }
const TIMES = { ms: 1, s: 1_000 }
const MAX_LIMIT = 2 ** 50

export const BUDGETS_RULE = `must name budgets with their limits, such as log-bytes:8GiB,work:4s,requests:64; there are ${BUDGET_NAMES.join(', ')}`

/**
 * A setting: "log-bytes:8GiB,work:4s" or, in a file, `{"log-bytes": "8GiB", "requests": 64}`; what is not named keeps
 * its default. An amount without a unit counts bytes, milliseconds, or whatever the budget is about.
 */
export const budgetsSetting = z
  .union(
    [z.string().transform(splitPairs), z.record(z.string(), z.union([z.string(), z.number().transform(String)]))],
    { error: () => BUDGETS_RULE },
  )
  .transform((given, context): BudgetLimits => {
    const limits: Partial<Record<BudgetName, number>> = {}
    for (const [name, text] of Object.entries(given)) {
      const rule = isBudget(name) ? amountRule(name, text) : BUDGETS_RULE
      if (isBudget(name) && rule === null) limits[name] = amountOf(SENDER_BUDGETS[name], text) ?? 0
      else {
        const message = `${JSON.stringify(`${name}:${text}`.slice(0, 60))} is not right: ${rule}`
        context.issues.push({ code: 'custom', input: given, message })
        return z.NEVER
      }
    }
    return limits
  })

/** Those that are not the defaults, as in a config file. */
export function shownBudgets(limits: BudgetLimits): Record<string, number> {
  return Object.fromEntries(
    BUDGET_NAMES.flatMap((name) => {
      const limit = limits[name]
      return limit === undefined || limit === SENDER_BUDGETS[name].limit ? [] : [[name, limit]]
    }),
  )
}

function isBudget(name: string): name is BudgetName {
  return (BUDGET_NAMES as readonly string[]).includes(name)
}

/** Why a limit cannot be that; null: it can. */
function amountRule(name: BudgetName, text: string): string | null {
  const terms: BudgetTerms = SENDER_BUDGETS[name]
  const { least = 1, unit } = terms
  const amount = amountOf(terms, text)
  const suffixes = Object.keys(suffixesOf(terms))
  const how = suffixes.length === 0 ? 'a whole number' : `a whole number, or one with ${suffixes.join(', ')}`
  if (amount !== null && amount >= least && amount <= MAX_LIMIT) return null
  return `it counts ${unit}, and must be ${how}, of at least ${least.toLocaleString('en-US')}`
}

function amountOf(terms: BudgetTerms, text: string): number | null {
  const [, digits, suffix = ''] = AMOUNT.exec(text.trim()) ?? []
  const times = suffix === '' ? 1 : suffixesOf(terms)[suffix]
  return digits === undefined || times === undefined ? null : Number(digits) * times
}

function suffixesOf({ unit }: BudgetTerms): Readonly<Record<string, number>> {
  if (unit.startsWith('bytes')) return BYTES
  return unit.startsWith('ms') ? TIMES : {}
}

function splitPairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => {
        const at = item.indexOf(':')
        return at === -1 ? [item, ''] : [item.slice(0, at), item.slice(at + 1)]
      }),
  )
}

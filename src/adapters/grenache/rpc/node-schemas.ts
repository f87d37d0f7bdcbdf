import { z } from 'zod'
import type { AutoBidView, CommandResult } from '../../../ports/node/node-api.js'

/**
 * An answer of the operator's own node, whose token the caller holds: only its outline is checked, so that a node of
 * another version is noticed.
 */
export function trusted<T extends object>(...keys: readonly (keyof T & string)[]): z.ZodType<T> {
  return z.custom<T>((value) => hasKeys(value, keys), `must have ${keys.join(', ')}`)
}

export function trustedList<T extends object>(...keys: readonly (keyof T & string)[]): z.ZodType<T[]> {
  return z.array(trusted<T>(...keys))
}

export const commandResult = trusted<CommandResult>('outcome', 'auction')
export const autoBidView = trusted<AutoBidView>('autoBid', 'auction')

function hasKeys(value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key))
}

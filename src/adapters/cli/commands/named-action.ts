import type { Args } from '../parse/args.js'
import { UsageError } from '../parse/usage-error.js'

/** The action that a command's first word names. Throws `UsageError` if there is none of that name. */
export function namedAction<Action>(actions: Readonly<Record<string, Action>>, args: Args): Action {
  const name = args.need('action')
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined
  if (action !== undefined) return action
  const next = `it is one of ${Object.keys(actions).join(', ')}`
  throw new UsageError(`there is no action ${JSON.stringify(name.slice(0, 80))}`, { field: 'action', next })
}

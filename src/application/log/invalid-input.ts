import type { z } from 'zod'
import { NodeError } from '../../ports/node/node-error.js'

/** The first thing wrong with a request, as an INVALID_INPUT that names the field, the rule and what to do. */
export function invalidInput(error: z.ZodError): NodeError {
  const issue = error.issues[0]
  if (!issue) return new NodeError('INVALID_INPUT', 'the request is not valid')
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const field = fieldOf(unknown === undefined ? issue.path : [...issue.path, unknown])
  const rule = ruleOf(issue)
  return new NodeError('INVALID_INPUT', field === '' ? `the request ${rule}` : `${field} ${rule}`, {
    ...(field === '' ? {} : { field }),
    next: unknown === undefined ? 'correct it and send the request again' : 'leave it out',
  })
}

const MAX_FIELD_LENGTH = 200

/** "commands[3].bidder.name" */
function fieldOf(path: readonly PropertyKey[]): string {
  let field = ''
  for (const key of path) {
    if (typeof key === 'number') field += `[${key}]`
    else field += field === '' ? String(key) : `.${String(key)}`
  }
  // A key may be the caller's own invention.
  return field.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_FIELD_LENGTH)
}

function ruleOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${NAMES[issue.expected] ?? issue.expected}`
    case 'too_big':
      return sizeRule(issue.inclusive === false ? 'less than' : 'at most', issue.maximum, issue.origin)
    case 'too_small':
      return sizeRule(issue.inclusive === false ? 'more than' : 'at least', issue.minimum, issue.origin)
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`
    case 'unrecognized_keys':
      return 'is not a field of this request'
    case 'invalid_union':
      // A union that has a rule of its own says it.
      return issue.message.startsWith('must') ? issue.message : 'must be one of the kinds that this request knows'
    default:
      return issue.message
  }
}

const NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
}

function sizeRule(bound: string, size: number | bigint, origin: string): string {
  const limit = Number(size).toLocaleString('en')
  const count = (one: string, many: string) => `must have ${bound} ${limit} ${size === 1 ? one : many}`
  if (origin === 'string') return count('character', 'characters')
  if (origin === 'array') return count('entry', 'entries')
  return `must be ${bound} ${limit}`
}

import { z } from 'zod'
import { ROLES, SCOPES } from '../../ports/accounts/caller.js'
import { AccountError } from './account-error.js'

export const MIN_NAME_LENGTH = 2
export const MAX_NAME_LENGTH = 32
/** NIST SP 800-63B asks for at least 8 characters, and for no rules on which ones. */
export const MIN_PASSWORD_LENGTH = 8
/** Without a limit, anybody could make this node hash long texts slowly. */
export const MAX_PASSWORD_LENGTH = 256
export const MAX_EMAIL_LENGTH = 254
export const MAX_LABEL_LENGTH = 64
export const MAX_TOKEN_LENGTH = 4_096
export const MAX_API_KEY_DAYS = 3_650

/** ASCII only: letters of other scripts that look the same would let one bidder pass for another. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/
const CONTROL = /\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

/** The passwords that everybody tries first. Longer common ones are left to the limits on logins. */
const COMMON_PASSWORDS = new Set([
  ...['12345678', '123456789', '1234567890', '11111111', '00000000', '87654321', '88888888', '12341234'],
  ...['password', 'password1', 'password12', 'password123', 'passw0rd', 'p@ssw0rd', 'p@ssword'],
  ...['qwertyui', 'qwertyuiop', 'qwerty123', '1q2w3e4r', '1qaz2wsx', 'q1w2e3r4', 'asdfghjkl', 'abcd1234'],
  ...['iloveyou', 'sunshine', 'princess', 'football', 'baseball', 'trustno1', 'superman', 'welcome1'],
  ...['letmein1', 'admin123', 'administrator', 'changeme', 'changeit', 'whatever', 'starwars', 'computer'],
])

export const accountName = z
  .string({ error: 'must be text' })
  .min(MIN_NAME_LENGTH, `must have ${MIN_NAME_LENGTH} to ${MAX_NAME_LENGTH} characters`)
  .max(MAX_NAME_LENGTH, `must have ${MIN_NAME_LENGTH} to ${MAX_NAME_LENGTH} characters`)
  .regex(NAME, 'must be of A-Z a-z 0-9 . _ - and start with a letter or digit')

/** What may stand before the "@" (RFC 6531: letters of every script), and one label of the domain behind it. */
const LOCAL = /^(?!\.)(?!.*\.\.)[\p{L}\p{M}\p{N}!#$%&'*+/=?^_`{|}~.-]{1,64}(?<!\.)$/u
const DOMAIN_PART = /^(?!-)[\p{L}\p{M}\p{N}-]{1,63}(?<!-)$/u

export const emailAddress = z
  .string({ error: 'must be text' })
  .trim()
  .max(MAX_EMAIL_LENGTH, `must have at most ${MAX_EMAIL_LENGTH} characters`)
  .transform((text) => text.normalize('NFC'))
  .refine(isEmailAddress, 'must be an e-mail address')

function isEmailAddress(text: string): boolean {
  const at = text.lastIndexOf('@')
  const parts = text.slice(at + 1).split('.')
  const top = parts.at(-1) ?? ''
  return (
    at > 0 &&
    LOCAL.test(text.slice(0, at)) &&
    parts.length > 1 &&
    parts.every((part) => DOMAIN_PART.test(part)) &&
    !/^\d+$/.test(top) &&
    URL.canParse(`http://${parts.join('.')}`)
  )
}

/** Normalised, so that the same password typed on another keyboard is the same. */
export const newPassword = z
  .string({ error: 'must be text' })
  .max(MAX_PASSWORD_LENGTH, `must have at most ${MAX_PASSWORD_LENGTH} characters`)
  .transform(normalPassword)
  .pipe(
    z
      .string()
      .min(MIN_PASSWORD_LENGTH, `must have at least ${MIN_PASSWORD_LENGTH} characters`)
      .refine((text) => !COMMON_PASSWORDS.has(text.toLowerCase()), 'must not be one that everybody tries first')
      .refine((text) => new Set(text).size > 2, 'must have more than two different characters'),
  )

/** A password that may have been set under other rules. */
export const givenPassword = z
  .string({ error: 'must be text' })
  .min(1, 'must not be empty')
  .max(MAX_PASSWORD_LENGTH, `must have at most ${MAX_PASSWORD_LENGTH} characters`)
  .transform(normalPassword)

export const login = z
  .string({ error: 'must be text' })
  .trim()
  .min(1, 'must not be empty')
  .max(MAX_EMAIL_LENGTH, `must have at most ${MAX_EMAIL_LENGTH} characters`)

export const rolesInput = z
  .array(z.enum(ROLES, { error: `must be of ${ROLES.join(', ')}` }), { error: 'must be a list' })
  .min(1, `must name at least one of ${ROLES.join(', ')}`)
  .max(ROLES.length, 'must name each role once')
  .transform((roles) => ROLES.filter((role) => roles.includes(role)))

export const registration = z
  .object({
    /** A made-up name for an account that has only an address: addresses are private. */
    name: accountName.optional(),
    email: emailAddress.optional(),
    password: newPassword,
  })
  .superRefine(({ name, email, password }, context) => {
    if (name === undefined && email === undefined)
      context.addIssue({ code: 'custom', path: ['name'], message: 'must be given, or else an email' })
    const own = [name, email, email?.split('@')[0]].flatMap((text) => text?.toLowerCase() ?? [])
    if (own.includes(password.toLowerCase()))
      context.addIssue({ code: 'custom', path: ['password'], message: 'must not be the name or the address' })
  })

export const loginInput = z.object({ login, password: givenPassword })

export const passwordChange = z.object({
  current_password: givenPassword,
  new_password: newPassword,
})

export const apiKeyInput = z.object({
  label: z
    .string({ error: 'must be text' })
    .trim()
    .min(1, 'must not be empty')
    .max(MAX_LABEL_LENGTH, `must have at most ${MAX_LABEL_LENGTH} characters`)
    .refine((text) => !CONTROL.test(text), 'must not hold control characters')
    .refine(isWellFormed, 'must be whole Unicode text'),
  scopes: z
    .array(z.enum(SCOPES, { error: `must be of ${SCOPES.join(', ')}` }), { error: 'must be a list' })
    .min(1, `must name at least one of ${SCOPES.join(', ')}`)
    .max(SCOPES.length, 'must name each scope once')
    .transform((scopes) => SCOPES.filter((scope) => scopes.includes(scope))),
  /** Never expires if left out. */
  expires_in_days: z
    .int({ error: 'must be a whole number of days' })
    .min(1, 'must be at least 1')
    .max(MAX_API_KEY_DAYS, `must be at most ${MAX_API_KEY_DAYS}`)
    .optional(),
})

/** Throws `AccountError` INVALID_INPUT with every field that is wrong, and never with the values. */
export function parseInput<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw inputError(parsed.error)
}

const MAX_PROBLEMS = 10

export function inputError(error: z.ZodError): AccountError {
  const all = error.issues.map(({ path, message, code }) => ({
    field: path.join('.'),
    rule: code === 'invalid_type' && !message.startsWith('must') ? 'must be an object' : message,
  }))
  // The first problem of a field says most; the others often follow from it.
  const problems = all
    .filter(({ field }, at) => all.findIndex((other) => other.field === field) === at)
    .slice(0, MAX_PROBLEMS)
  const [first] = problems
  return new AccountError(
    'INVALID_INPUT',
    first ? `${first.field || 'the body'} ${first.rule}` : 'the input is not valid',
    { next: 'correct it and send it again', problems },
  )
}

function normalPassword(text: string): string {
  return text.normalize('NFKC')
}

function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

import { z } from 'zod'
import type { Tokens } from '../../application/accounts/logins.js'
import { timeText } from '../../application/log/time-text.js'
import type { Account } from '../../ports/accounts/account-repository.js'
import type { ApiKey } from '../../ports/accounts/api-key-repository.js'
import { ROLES, SCOPES } from '../../ports/accounts/caller.js'

/** Only shapes; the rules are checked where accounts are made. */
const MAX_TEXT = 4_096
const text = z.string().max(MAX_TEXT)

/** Of a page: what renews its login is kept where no script can read it. */
const keeping = {
  refresh_token_in: z
    .literal('cookie')
    .optional()
    .describe('cookie: the refresh token goes into a cookie that scripts cannot read; then give it as "cookie"'),
}

export const registerBody = z
  .object({
    username: text.optional().describe('The name that others see: 2 to 32 of A-Z a-z 0-9 . _ -'),
    name: text.optional().describe('The same as username'),
    email: text.optional().describe('To log in with; never shown to others'),
    password: text.describe('8 to 256 characters'),
    ...keeping,
  })
  .describe('A username, an email, or both')

export const loginBody = z
  .object({
    username: text.optional(),
    name: text.optional().describe('The same as username'),
    email: text.optional(),
    password: text,
    ...keeping,
  })
  .describe('A username or an email; each field takes either')

export const refreshBody = z.object({ refresh_token: text })
export const logoutBody = z
  .object({ refresh_token: text.optional().describe('Otherwise the login of the access token ends') })
  .nullish()
export const passwordBody = z.object({ current_password: text, new_password: text, ...keeping })
export const apiKeyBody = z.object({
  label: text,
  scopes: z.array(z.enum(SCOPES)),
  expires_in_days: z.number().optional().describe('Never, if left out'),
})
export const apiKeyParams = z.object({ id: z.string().max(64) })

const accountAnswer = z.object({
  id: z.string(),
  username: z.string(),
  email: z.string().nullable(),
  roles: z.array(z.enum(ROLES)),
  /** For clients that know only two kinds. */
  role: z.enum(['user', 'admin']),
})

export const tokensAnswer = z.object({
  access_token: z.string(),
  token_type: z.literal('Bearer'),
  expires_in: z.number().describe('Seconds'),
  refresh_token: z.string().describe('Good once: each refresh brings the next one'),
  refresh_expires_in: z.number().describe('Seconds'),
  user: accountAnswer,
})

const apiKeyAnswer = z.object({
  id: z.string(),
  label: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  last_used_at: z.string().nullable().describe('To the hour'),
  revoked_at: z.string().nullable(),
})
export const newApiKeyAnswer = apiKeyAnswer.extend({
  api_key: z.string().describe('Shown this once'),
})
export const apiKeysAnswer = z.object({ api_keys: z.array(apiKeyAnswer) })

export function tokensJson(tokens: Tokens, now: number): z.infer<typeof tokensAnswer> {
  const { account, accessToken, accessExpiresAt, refreshToken, refreshExpiresAt } = tokens
  return {
    access_token: accessToken,
    token_type: 'Bearer',
    expires_in: seconds(accessExpiresAt - now),
    refresh_token: refreshToken,
    refresh_expires_in: seconds(refreshExpiresAt - now),
    user: accountJson(account),
  }
}

export function accountJson({ id, name, email, roles }: Account): z.infer<typeof accountAnswer> {
  return { id, username: name, email, roles: [...roles], role: roles.includes('admin') ? 'admin' : 'user' }
}

export function apiKeyJson(key: ApiKey): z.infer<typeof apiKeyAnswer> {
  return {
    id: key.id,
    label: key.label,
    scopes: [...key.scopes],
    created_at: timeText(key.createdAt),
    expires_at: time(key.expiresAt),
    last_used_at: time(key.lastUsedAt),
    revoked_at: time(key.revokedAt),
  }
}

function time(ms: number | null): string | null {
  return ms === null ? null : timeText(ms)
}

function seconds(ms: number): number {
  return Math.max(0, Math.floor(ms / 1_000))
}

import { z } from 'zod'

/** `open`: bidders' names are taken on trust. */
export const AUTH_MODES = ['open', 'accounts'] as const
export type AuthMode = (typeof AUTH_MODES)[number]

/** How a gateway treats accounts. */
export interface AccountSettings {
  readonly registration: 'open' | 'closed'
  /** What those who register themselves may do. */
  readonly selfRoles: readonly ('bidder' | 'seller')[]
  readonly accessTokenMs: number
  /** A login that is not refreshed for so long ends. */
  readonly sessionIdleMs: number
  readonly sessionMaxMs: number
}

const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS

/**
 * Whoever registers may sell too: on a mesh everybody who runs a node is bidder and seller, and a gateway's users
 * should be allowed no less. A house where only staff sell sets `self_roles` to bidder.
 */
export const DEFAULT_ACCOUNT_SETTINGS: AccountSettings = {
  registration: 'open',
  selfRoles: ['bidder', 'seller'],
  accessTokenMs: 15 * MINUTE_MS,
  sessionIdleMs: 30 * DAY_MS,
  sessionMaxMs: 180 * DAY_MS,
}

const SELF_ROLES = ['bidder', 'seller'] as const
const SELF_ROLES_RULE = 'must be bidder, or bidder,seller'

export const registrationSetting = z.enum(['open', 'closed'], { error: () => 'must be open or closed' })

export const selfRolesSetting = z
  .union([z.string().transform((text) => text.split(',').map((role) => role.trim())), z.array(z.string())], {
    error: () => SELF_ROLES_RULE,
  })
  .refine(
    (roles) => roles.includes('bidder') && roles.every((role) => (SELF_ROLES as readonly string[]).includes(role)),
    SELF_ROLES_RULE,
  )
  .transform((roles) => SELF_ROLES.filter((role) => roles.includes(role)))

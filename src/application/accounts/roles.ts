import { type Caller, CallerError, type Role, SCOPES, type Scope } from '../../ports/accounts/caller.js'

const SCOPES_OF: Readonly<Record<Role, readonly Scope[]>> = {
  bidder: ['read', 'bid'],
  seller: ['read', 'bid', 'sell'],
  admin: SCOPES,
}

/** What an account with these roles may do. */
export function scopesOf(roles: readonly Role[]): Scope[] {
  return SCOPES.filter((scope) => roles.some((role) => SCOPES_OF[role].includes(scope)))
}

/** Throws `CallerError`: UNAUTHENTICATED without credentials, FORBIDDEN if the credentials do not allow it. */
export function needScope(caller: Caller | null, scope: Scope): asserts caller is Caller {
  if (caller === null) {
    throw new CallerError('UNAUTHENTICATED', 'this needs an account', {
      next: 'log in at /auth/login and send "Authorization: Bearer TOKEN", or send an API key as x-api-key',
    })
  }
  if (caller.scopes.includes(scope)) return
  const allowed = scopesOf(caller.roles).includes(scope)
  throw new CallerError('FORBIDDEN', `this needs the scope "${scope}", which these credentials do not have`, {
    next: allowed
      ? `use an API key with the scope "${scope}", or log in`
      : 'ask an admin for the role that has it (`vendue user role`)',
  })
}

import { createHash } from 'node:crypto'
import { MAX_PARTY_NAME_LENGTH, nameProblem } from '../../domain/limits.js'
import { type Authenticator, type Caller, CallerError, type Scope } from '../../ports/accounts/caller.js'
import { type Audit, NO_AUDIT } from '../../ports/audit/audit.js'
import { needScope } from '../accounts/roles.js'
import { composed } from '../log/input-schemas.js'
import { codeOf } from '../node/node-acts.js'
import { credentialsOfRequest, type Presented } from './authenticate.js'

/** Identifies the callers of this gateway. */
export interface Callers {
  /** `open`: names are taken on trust. */
  readonly mode: 'open' | 'accounts'
  /** Null: the request carries no credentials. Rejects with `CallerError` if they are not valid. */
  identify(presented: Presented): Promise<Caller | null>
}

export const USER_HEADER = 'x-vendue-user'
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/
const GUEST = 'guest:'
/** The seller for callers without a name, on a gateway that trusts everybody anyway. */
export const ANONYMOUS: Caller = guest('anonymous')

/** Takes bidders' names on trust: whoever reaches the gateway may bid as anybody. */
export class OpenCallers implements Callers {
  readonly mode = 'open'

  async identify({ headers, userId }: Presented): Promise<Caller | null> {
    const header = headers[USER_HEADER]
    const given = userId ?? (Array.isArray(header) ? header[0] : header)
    if (given === undefined) return null
    const name = composed(given).trim()
    const problem = nameProblem(name, MAX_PARTY_NAME_LENGTH)
    if (problem === null) return guest(name)
    throw new CallerError('UNAUTHENTICATED', `user_id ${problem}`, { next: 'give another name' })
  }
}

/** Callers with access tokens and API keys, which an authenticator checks. */
export class AuthenticatedCallers implements Callers {
  readonly mode = 'accounts'
  readonly #authenticator: Authenticator
  readonly #audit: Audit

  constructor({ authenticator, audit = NO_AUDIT }: { authenticator: Authenticator; audit?: Audit }) {
    this.#authenticator = authenticator
    this.#audit = audit
  }

  async identify(presented: Presented): Promise<Caller | null> {
    try {
      const credentials = credentialsOfRequest(presented)
      return credentials && (await this.#authenticator.authenticate(credentials))
    } catch (error) {
      const { origin } = presented
      if (origin) this.#audit.record({ act: 'account.authenticate', ...origin, who: null, code: codeOf(error) })
      throw error
    }
  }
}

/** The caller if it may do this; throws `CallerError` otherwise. */
export function allowed(caller: Caller | null, scope: Scope, mode: Callers['mode']): Caller {
  if (caller === null && mode === 'open') {
    throw new CallerError('UNAUTHENTICATED', 'it is not known who you are', {
      next: `say who you are: user_id in the query or the body, or the header ${USER_HEADER}`,
    })
  }
  needScope(caller, scope)
  return caller
}

/** Guests' ids cannot be mistaken for those of nodes or accounts, and the same name is the same guest everywhere. */
function guest(name: string): Caller {
  const hashed = () => `.${createHash('sha256').update(name).digest('base64url').slice(0, 22)}`
  const id = GUEST + (PLAIN_NAME.test(name) ? name : hashed())
  return { party: { id, name }, roles: ['bidder', 'seller'], scopes: ['read', 'bid', 'sell'] }
}

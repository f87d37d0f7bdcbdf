import { type Caller, CallerError } from '../../ports/accounts/caller.js'
import type { Statistics, StatRequest } from '../analytics/statistics.js'
import { allowed, type Callers } from './callers.js'
import { GatewayRefusal } from './gateway-refusal.js'

export interface StatCallsDeps {
  readonly callers: Callers
  /** Null: none are computed for this gateway. */
  readonly statistics: Statistics | null
}

/**
 * Decides who sees which numbers: sellers those of their own auctions, admins all. Where names are taken on trust
 * everybody sees all: there anybody may read all auctions and bids, and ask in anybody's name.
 */
export class StatCalls {
  readonly #deps: StatCallsDeps

  constructor(deps: StatCallsDeps) {
    this.#deps = deps
  }

  /** Throws `CallerError`, or `GatewayRefusal` NO_STATISTICS. */
  seenBy(
    caller: Caller | null,
    request: StatRequest,
  ): { readonly statistics: Statistics; readonly request: StatRequest } {
    const { statistics, callers } = this.#deps
    const seller = callers.mode === 'open' ? undefined : sellerSeen(allowed(caller, 'read', callers.mode))
    if (statistics === null) {
      const next = 'ask whoever runs this gateway to turn analytics on'
      throw new GatewayRefusal('NO_STATISTICS', 'no statistics are computed for this gateway', { next })
    }
    if (seller === undefined) return { statistics, request }
    if (request.seller === undefined || request.seller === seller)
      return { statistics, request: { ...request, seller } }
    const next = 'leave seller out: you get the numbers of your own auctions'
    throw new CallerError('FORBIDDEN', "another seller's numbers are for admins alone", { next })
  }
}

/** Undefined: all. */
function sellerSeen({ roles, party }: Caller): string | undefined {
  if (roles.includes('admin')) return undefined
  if (roles.includes('seller')) return party.id
  const next = 'ask an admin for the role "seller" (`vendue user role`)'
  throw new CallerError('FORBIDDEN', 'numbers are for sellers and admins', { next })
}

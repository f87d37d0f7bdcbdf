import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import type { Call } from '../../application/gateway/auction-calls.js'
import type { Presented } from '../../application/gateway/authenticate.js'

/** What is known about a call before it is read, and its caller. */
export interface RpcCall extends Call {
  readonly presented: Presented
  /** Why it is over a limit. */
  readonly refused: { readonly error: unknown } | null
}

export const RPC_CALL = createContextKey<RpcCall | null>(null, { description: 'who calls' })

/** With the request's idempotency key; an empty one counts as none. */
export function callIn({ values }: HandlerContext, key = ''): RpcCall {
  const call = values.get(RPC_CALL)
  if (call === null) throw new Error('the caller has not been looked up')
  return { ...call, keyField: 'idempotency_key', ...(key !== '' && { key }) }
}

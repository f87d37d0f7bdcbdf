import { createContextKey, type HandlerContext } from '@connectrpc/connect'
import type { Call } from '../../application/gateway/auction-calls.js'
import type { Presented } from '../../application/gateway/authenticate.js'

/** What is known of a call before it is read, and who makes it. */
export interface RpcCall extends Call {
  readonly presented: Presented
  /** Why it is one too many. */
  readonly refused: { readonly error: unknown } | null
}

export const RPC_CALL = createContextKey<RpcCall | null>(null, { description: 'who calls' })

/** With the key that the request gives to its command; an empty one is none. */
export function callIn({ values }: HandlerContext, key = ''): RpcCall {
  const call = values.get(RPC_CALL)
  if (call === null) throw new Error('nobody has looked who calls')
  return { ...call, keyField: 'idempotency_key', ...(key !== '' && { key }) }
}

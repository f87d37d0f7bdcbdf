import { InOrderOf } from '../../application/turns/in-order.js'
import { PeerCallError } from '../../ports/mesh/peer-call-error.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import { isNodeErrorCode, NodeError } from '../../ports/node/node-error.js'
import { type OperatorRpc, operatorRpcs } from './rpc/operator-rpcs.js'
import { RemoteError, type RpcClient } from './rpc-client.js'

export interface GrenacheNodeApiClientDeps {
  readonly rpcClient: RpcClient
}

export interface GrenacheNodeApiClientOptions {
  /** The node's RPC, "host:port". */
  readonly address: string
  /** The operator's token; null for a caller that shows an operator's certificate. */
  readonly token: string | null
  readonly readTimeoutMs?: number
  /** Longer than a node tries to reach an auction's home. */
  readonly commandTimeoutMs?: number
}

const READ_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 25_000

/** What requests may say beside what goes to the node as its params. */
interface Request {
  readonly requestId?: string
  /** Requests may overtake each other on their way: of one lane there is one at a time. */
  readonly lane?: object
  /** The extra time for a long poll. */
  readonly waitMs?: number
}

/** Somebody's node, from outside its process. Does not stop the RPC client it is given. */
export function grenacheNodeApiClient(
  { rpcClient }: GrenacheNodeApiClientDeps,
  options: GrenacheNodeApiClientOptions,
): NodeApi {
  const lanes = new InOrderOf<object>()
  const call = async (rpc: OperatorRpc, { requestId, lane: _, ...params }: Request): Promise<unknown> => {
    const { address, token, readTimeoutMs = READ_TIMEOUT_MS, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options
    const timeoutMs =
      (rpc.effect === 'command' ? commandTimeoutMs : readTimeoutMs) + (params.waitMs ?? 0) + (rpc.patienceMs ?? 0)
    const requestIds = requestId === undefined ? undefined : [requestId]
    try {
      return await rpcClient.call(address, rpc, params, {
        timeoutMs,
        requestIds,
        ...(token === null ? {} : { token }),
      })
    } catch (error) {
      throw error instanceof PeerCallError ? nodeError(rpc.effect, error) : error
    }
  }
  const methods = Object.entries(operatorRpcs).map(([name, typed]) => {
    const rpc = typed as OperatorRpc
    const method = (request: Request = {}) =>
      request.lane === undefined ? call(rpc, request) : lanes.run(request.lane, () => call(rpc, request))
    return [name, method]
  })
  // The table has an RPC for each method, with its types.
  return Object.fromEntries(methods) as NodeApi
}

function nodeError(effect: 'read' | 'command', cause: PeerCallError): NodeError {
  if (cause instanceof RemoteError) return answeredError(cause)
  const { address, code, message } = cause
  if (code === 'REQUEST_TOO_LARGE') {
    return new NodeError('INVALID_INPUT', message, { next: 'send less at once', cause })
  }
  if (cause.sent && effect === 'command') {
    const next = 'ask again, with the same command id where there is one: nothing is done twice'
    return new NodeError('OUTCOME_UNKNOWN', `the node's answer did not arrive: ${message}`, { next, cause })
  }
  const next = 'check that the node runs and that this is its RPC address'
  return new NodeError('NODE_UNREACHABLE', `cannot reach the node at ${address}: ${message}`, { next, cause })
}

function answeredError(cause: RemoteError): NodeError {
  const info = {
    ...(cause.field === undefined ? {} : { field: cause.field }),
    ...(cause.next === undefined ? {} : { next: cause.next }),
    cause,
  }
  if (isNodeErrorCode(cause.code)) return new NodeError(cause.code, cause.message, info)
  return new NodeError('INTERNAL', `the node does not understand this request: ${cause.message}`, info)
}

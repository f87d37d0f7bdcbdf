import { InOrderOf } from '../../application/turns/in-order.js'
import type { NewEnd } from '../../domain/commands.js'
import { PeerCallError } from '../../ports/mesh/peer-client.js'
import {
  type AuctionCommand,
  type BidRequest,
  type EventsRequest,
  type HistoryRequest,
  type ListRequest,
  type LogRequest,
  type NodeApi,
  NodeError,
  type OpenRequest,
  type ReceiptsRequest,
  type ShowRequest,
} from '../../ports/node/node-api.js'
import { autoBidRpc } from './rpc/auto-bid.js'
import { autoBidsRpc } from './rpc/auto-bids.js'
import { bidRpc } from './rpc/bid.js'
import { buyNowRpc } from './rpc/buy-now.js'
import { cancelRpc } from './rpc/cancel.js'
import { closeRpc } from './rpc/close.js'
import type { Rpc } from './rpc/define-rpc.js'
import { eventsRpc } from './rpc/events.js'
import { extendRpc } from './rpc/extend.js'
import { handoverRpc } from './rpc/handover.js'
import { historyRpc } from './rpc/history.js'
import { listRpc } from './rpc/list.js'
import { logRpc } from './rpc/log.js'
import { openRpc } from './rpc/open.js'
import { peersRpc } from './rpc/peers.js'
import { proofRpc } from './rpc/proof.js'
import { receiptsRpc } from './rpc/receipts.js'
import { showRpc } from './rpc/show.js'
import { statusRpc } from './rpc/status.js'
import { stopRpc } from './rpc/stop.js'
import { stopAutoBidRpc } from './rpc/stop-auto-bid.js'
import { isNodeErrorCode } from './rpc/wire.js'
import { RemoteError, type RpcClient } from './rpc-client.js'

export interface GrenacheNodeApiClientDeps {
  readonly rpcClient: RpcClient
}

export interface GrenacheNodeApiClientOptions {
  /** The node's RPC, "host:port". */
  readonly address: string
  /** The operator's; null for who shows the certificate of an operator. */
  readonly token: string | null
  readonly readTimeoutMs?: number
  /** Longer than a node tries to reach the auction's home. */
  readonly commandTimeoutMs?: number
}

const READ_TIMEOUT_MS = 10_000
const COMMAND_TIMEOUT_MS = 25_000
/** What a long poll may take beyond its own wait. */
const WAIT_MARGIN_MS = 5_000

/** Somebody's node, from outside its process. Does not stop the RPC client it was given. */
export class GrenacheNodeApiClient implements NodeApi {
  readonly #rpc: RpcClient
  readonly #options: Required<GrenacheNodeApiClientOptions>
  readonly #lanes = new InOrderOf<object>()

  constructor({ rpcClient }: GrenacheNodeApiClientDeps, options: GrenacheNodeApiClientOptions) {
    this.#rpc = rpcClient
    this.#options = {
      readTimeoutMs: READ_TIMEOUT_MS,
      commandTimeoutMs: COMMAND_TIMEOUT_MS,
      ...options,
    }
  }

  status() {
    return this.#call(statusRpc, {})
  }
  peers() {
    return this.#call(peersRpc, {})
  }
  open(request: OpenRequest) {
    return this.#call(openRpc, request)
  }
  bid(request: BidRequest) {
    return this.#command(bidRpc, request)
  }
  buyNow(request: AuctionCommand) {
    return this.#command(buyNowRpc, request)
  }
  close(request: AuctionCommand) {
    return this.#command(closeRpc, request)
  }
  cancel(request: AuctionCommand & { readonly reason?: string }) {
    return this.#command(cancelRpc, request)
  }
  extend(request: AuctionCommand & NewEnd) {
    return this.#command(extendRpc, request)
  }
  handover(request: { readonly auction: string; readonly peer: string }) {
    return this.#call(handoverRpc, request)
  }
  autoBid(request: { readonly auction: string; readonly limit: string }) {
    return this.#call(autoBidRpc, request)
  }
  stopAutoBid(request: { readonly auction: string }) {
    return this.#call(stopAutoBidRpc, request)
  }
  autoBids() {
    return this.#call(autoBidsRpc, {})
  }
  list(request: ListRequest) {
    return this.#call(listRpc, request)
  }
  show(request: ShowRequest) {
    return this.#call(showRpc, request)
  }
  history(request: HistoryRequest) {
    return this.#call(historyRpc, request)
  }
  events(request: EventsRequest) {
    return this.#call(eventsRpc, request, request.waitMs + WAIT_MARGIN_MS)
  }
  log(request: LogRequest) {
    return this.#call(logRpc, request)
  }
  receipts(request: ReceiptsRequest) {
    return this.#call(receiptsRpc, request)
  }
  proof(request: { readonly auction: string }) {
    return this.#call(proofRpc, request)
  }
  async stop() {
    await this.#call(stopRpc, {})
  }

  /** Requests may overtake each other on their way: of one lane there is one at a time. */
  #command<Request extends AuctionCommand, Result>(
    rpc: Rpc<'operator', Request, Result>,
    { lane, ...request }: Request,
  ): Promise<Result> {
    const call = () => this.#call(rpc, request as Request)
    return lane === undefined ? call() : this.#lanes.run(lane, call)
  }

  async #call<Request extends object, Result>(
    rpc: Rpc<'operator', Request, Result>,
    request: Request,
    timeoutMs = rpc.effect === 'command' ? this.#options.commandTimeoutMs : this.#options.readTimeoutMs,
  ): Promise<Result> {
    const { address, token } = this.#options
    try {
      const { requestId, ...params } = request as Request & { readonly requestId?: string }
      const requestIds = requestId === undefined ? undefined : [requestId]
      const options = { timeoutMs, requestIds, ...(token === null ? {} : { token }) }
      return await this.#rpc.call(address, rpc, params as Request, options)
    } catch (error) {
      throw error instanceof PeerCallError ? nodeError(rpc.effect, error) : error
    }
  }
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

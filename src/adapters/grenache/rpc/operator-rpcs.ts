import { z } from 'zod'
import {
  auctionRequest,
  autoBidRequest,
  bidRequest,
  cancelRequest,
  commandRequest,
  eventsRequest,
  extendRequest,
  handoverRequest,
  historyRequest,
  listRequest,
  logRequest,
  noRequest,
  openRequest,
  receiptsRequest,
  showRequest,
} from '../../../application/node/request-schemas.js'
import type {
  AuctionView,
  AutoBidView,
  CommandResult,
  FeedItem,
  HistoryPage,
  LogPage,
  NodeApi,
  NodeStatus,
  PeerView,
} from '../../../ports/node/node-api.js'
import type { EquivocationProof } from '../../../ports/store/equivocation-repository.js'
import type { SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { defineRpc, ROLES, type Rpc } from './define-rpc.js'

/** Any of them, its types forgotten. */
export type OperatorRpc = Rpc<'operator', object, unknown>
type RpcOf<M extends keyof NodeApi> = Rpc<'operator', RequestOf<M>, Awaited<ReturnType<NodeApi[M]>>>
type RequestOf<M extends keyof NodeApi> = Parameters<NodeApi[M]> extends [infer R] ? R : Record<string, never>

const commandResult = outlined<CommandResult>('outcome', 'auction')
const auctionView = outlined<AuctionView>('auctionId', 'head', 'state')
const autoBidView = outlined<AutoBidView>('autoBid', 'auction')
const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item)

/**
 * What a node's user may call: each method of `NodeApi`, as `vendue.node.<method>`. The server answers by this table, and the
 * client is made of it.
 */
export const operatorRpcs: { readonly [M in keyof NodeApi]: RpcOf<M> } = {
  status: read('status', noRequest, outlined<NodeStatus>('node', 'grape', 'peers', 'auctions')),
  peers: read('peers', noRequest, list(outlined<PeerView>('nodeId', 'name', 'address', 'state'))),
  open: command('open', openRequest, commandResult),
  bid: command('bid', bidRequest, commandResult),
  buyNow: command('buyNow', commandRequest, commandResult),
  close: command('close', commandRequest, commandResult),
  cancel: command('cancel', cancelRequest, commandResult),
  extend: command('extend', extendRequest, commandResult),
  handover: command('handover', handoverRequest, auctionView),
  autoBid: command('autoBid', autoBidRequest, autoBidView),
  stopAutoBid: command('stopAutoBid', auctionRequest, autoBidView),
  autoBids: read('autoBids', noRequest, list(autoBidView)),
  list: read(
    'list',
    listRequest,
    outlined<{ auctions: AuctionView[]; next: string | null }>('auctions', 'next'),
  ),
  show: read('show', showRequest, auctionView),
  history: read('history', historyRequest, outlined<HistoryPage>('auction', 'bids', 'next')),
  events: {
    ...read('events', eventsRequest, outlined<{ items: FeedItem[]; cursor: string }>('items', 'cursor')),
    routine: true,
  },
  log: read('log', logRequest, outlined<LogPage>('auctionId', 'commits', 'head')),
  proof: read(
    'proof',
    auctionRequest,
    outlined<EquivocationProof>('auctionId', 'authority', 'first', 'second').nullable(),
  ),
  receipts: read(
    'receipts',
    receiptsRequest,
    outlined<{ signed: SignedReceipts[]; next: number | null }>('signed', 'next'),
  ),
  // JSON has no undefined.
  stop: command(
    'stop',
    noRequest,
    z.null().transform(() => undefined),
  ),
}

function read<Request extends object, Result>(...parts: Parts<Request, Result>) {
  return operatorRpc('read', ...parts)
}

function command<Request extends object, Result>(...parts: Parts<Request, Result>) {
  return operatorRpc('command', ...parts)
}

type Parts<Request, Result> = [method: keyof NodeApi, request: z.ZodType<Request>, result: z.ZodType<Result>]

function operatorRpc<Request extends object, Result>(
  effect: 'read' | 'command',
  ...[method, request, result]: Parts<Request, Result>
): Rpc<'operator', Request, Result> {
  return defineRpc({
    name: `vendue.node.${method.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    access: 'operator',
    roles: ROLES.operators,
    effect,
    request,
    result,
    handler: (node) => {
      // The table's type sees to it that the method takes and gives what the schemas say.
      const call = node[method].bind(node) as (request?: object) => Promise<Result>
      const takesNothing = request === (noRequest as unknown)
      return (asked, _, requestIds) => {
        const requestId = requestIds?.[0]
        if (takesNothing) return call()
        return call(requestId === undefined ? asked : { ...asked, requestId })
      }
    },
  })
}

/**
 * An answer of the operator's own node, whose token the caller holds: only its outline is checked, so that a node of
 * another version is noticed.
 */
function outlined<T extends object>(...keys: readonly (keyof T & string)[]): z.ZodType<T> {
  return z.custom<T>((value) => hasKeys(value, keys), `must have ${keys.join(', ')}`)
}

function hasKeys(value: unknown, keys: readonly string[]): boolean {
  return typeof value === 'object' && value !== null && keys.every((key) => Object.hasOwn(value, key))
}

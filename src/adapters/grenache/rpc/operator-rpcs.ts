import { z } from 'zod'
import { minor } from '../../../application/log/input-schemas.js'
import { nodeAct, nodeActName } from '../../../application/node/node-acts.js'
import { type AnyNodeMethod, NODE_METHODS, type RequestOf } from '../../../application/node/node-methods.js'
import type {
  AuctionView,
  AuditLines,
  AutoBidView,
  CommandResult,
  FeedItem,
  HistoryPage,
  LogPage,
  Moving,
  TakenBack,
  TlogProof,
} from '../../../ports/node/node-answers.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { PeerView } from '../../../ports/node/node-info.js'
import type { PictureAdded, PicturePiece } from '../../../ports/node/node-pictures.js'
import type { NodeStatus } from '../../../ports/node/node-status.js'
import type { EquivocationProof } from '../../../ports/store/equivocation-repository.js'
import type { SignedReceipts } from '../../../ports/store/receipt-repository.js'
import { defineRpc, ROLES, type Rpc } from './define-rpc.js'

/** Any of them, its types forgotten. */
export type OperatorRpc = Rpc<'operator', object, unknown>
type ResultOf<M extends keyof NodeApi> = Awaited<ReturnType<NodeApi[M]>>

const commandResult = outlined<CommandResult>('outcome', 'auction')
const auctionView = outlined<AuctionView>('auctionId', 'head', 'state')
const autoBidView = outlined<AutoBidView>('autoBid', 'auction')
const list = <T>(item: z.ZodType<T>): z.ZodType<T[]> => z.array(item)

const RESULTS: { readonly [M in keyof NodeApi]: z.ZodType<ResultOf<M>> } = {
  addPicture: outlined<PictureAdded>('picture', 'next'),
  open: commandResult,
  bid: commandResult,
  buyNow: commandResult,
  close: commandResult,
  cancel: commandResult,
  extend: commandResult,
  handover: auctionView,
  takeBack: outlined<TakenBack>('auctionId', 'fromSeq', 'untilSeq', 'lost'),
  giveUp: auctionView,
  autoBid: autoBidView,
  stopAutoBid: autoBidView,
  // JSON has no undefined.
  stop: z.null().transform(() => undefined),
  status: outlined<NodeStatus>('node', 'grape', 'peers', 'auctions'),
  peers: list(outlined<PeerView>('nodeId', 'name', 'address', 'state')),
  autoBids: list(autoBidView),
  list: outlined<{ auctions: AuctionView[]; next: string | null }>('auctions', 'next'),
  show: auctionView,
  history: outlined<HistoryPage>('auction', 'bids', 'next'),
  events: outlined<{ items: FeedItem[]; cursor: string }>('items', 'cursor'),
  log: outlined<LogPage>('auctionId', 'commits', 'head'),
  maxima: list(minor.nullable()),
  moving: outlined<Moving>('version', 'auctions'),
  tlogProof: outlined<TlogProof>('proof', 'verifierKey'),
  picture: outlined<PicturePiece>('bytes', 'type', 'piece', 'next'),
  audit: outlined<AuditLines>('lines', 'next', 'seq'),
  proof: outlined<EquivocationProof>('auctionId', 'authority', 'first', 'second').nullable(),
  receipts: outlined<{ signed: SignedReceipts[]; next: number | null }>('signed', 'next'),
}

/** What may have to be fetched from peers takes longer than what is here, as does what is made of a whole log. */
const PATIENCE_MS: Partial<Record<keyof NodeApi, number>> = { picture: 20_000, tlogProof: 20_000 }

/** Asked for again and again. */
const ROUTINE: readonly (keyof NodeApi)[] = ['events', 'moving']

/**
 * What a node's user may call: each method of `NodeApi`, as `vendue.node.<method>`. The server answers by this table,
 * and the client is made of it.
 */
export const operatorRpcs = Object.fromEntries(
  NODE_METHODS.map((method) => [method.name, operatorRpc(method)]),
) as unknown as { readonly [M in keyof NodeApi]: Rpc<'operator', RequestOf<M>, ResultOf<M>> }

function operatorRpc({ name, effect, request, takesNothing }: AnyNodeMethod): OperatorRpc {
  const act = nodeActName(name)
  return defineRpc({
    name: `vendue.node.${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    access: 'operator',
    roles: ROLES.operators,
    effect,
    ...(ROUTINE.includes(name) && { routine: true }),
    patienceMs: PATIENCE_MS[name] ?? 0,
    ...(act !== null && {
      acts: (request, answer) => {
        const done = nodeAct(name, request, answer)
        return done === null ? [] : [{ act, ...done }]
      },
    }),
    request,
    result: RESULTS[name] as z.ZodType<unknown>,
    handler: (node) => {
      const call = node[name].bind(node) as (request?: object) => Promise<unknown>
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

/** Room `node`: what a node does for its user and for its peers. */

import type { z } from 'zod'
import type { NodeApi, NodeCommands, NodeQueries } from '../../ports/node/node-api.js'
import type { AuctionCommand } from '../../ports/node/node-requests.js'
import {
  addPictureRequest,
  auctionRequest,
  auditRequest,
  autoBidRequest,
  bidRequest,
  cancelRequest,
  commandRequest,
  eventsRequest,
  extendRequest,
  giveUpRequest,
  handoverRequest,
  historyRequest,
  listRequest,
  logRequest,
  maximaRequest,
  movingRequest,
  noRequest,
  openRequest,
  parseBid,
  parseCommand,
  parseRequest,
  pictureRequest,
  receiptsRequest,
  showRequest,
  takeBackRequest,
  tlogProofRequest,
} from './request-schemas.js'

export type RequestOf<M extends keyof NodeApi> =
  Parameters<NodeApi[M]> extends [infer R extends object] ? R : Record<string, never>

/** How a method's request has to look. `parse` checks it where it does not come from another process. */
export interface NodeMethod<Request> {
  readonly request: z.ZodType<Request>
  parse(request: Request): Request
}

type Methods<Api> = { readonly [M in keyof Api & keyof NodeApi]: NodeMethod<RequestOf<M>> }

const COMMANDS: Methods<NodeCommands> = {
  addPicture: checked(addPictureRequest),
  open: checked(openRequest),
  bid: { request: bidRequest, parse: parseBid },
  buyNow: inLane(commandRequest),
  close: inLane(commandRequest),
  cancel: inLane(cancelRequest),
  extend: inLane(extendRequest),
  handover: checked(handoverRequest),
  takeBack: checked(takeBackRequest),
  giveUp: checked(giveUpRequest),
  autoBid: checked(autoBidRequest),
  stopAutoBid: checked(auctionRequest),
  stop: checked(noRequest),
}

const QUERIES: Methods<NodeQueries> = {
  status: checked(noRequest),
  peers: checked(noRequest),
  autoBids: checked(noRequest),
  list: checked(listRequest),
  show: checked(showRequest),
  history: checked(historyRequest),
  events: checked(eventsRequest),
  log: checked(logRequest),
  maxima: checked(maximaRequest),
  moving: checked(movingRequest),
  tlogProof: checked(tlogProofRequest),
  picture: checked(pictureRequest),
  audit: checked(auditRequest),
  proof: checked(auctionRequest),
  receipts: checked(receiptsRequest),
}

/** A method, its types forgotten. */
export interface AnyNodeMethod extends NodeMethod<object> {
  readonly name: keyof NodeApi
  /** Whether it may change something. */
  readonly effect: 'read' | 'command'
  readonly takesNothing: boolean
}

/** Each method of a node, once: its RPC, that RPC's client and `checkedNodeApi` are made of it. */
export const NODE_METHODS: readonly AnyNodeMethod[] = [...methodsOf('command', COMMANDS), ...methodsOf('read', QUERIES)]

/**
 * A node as programs and gateways in its own process see it: what they ask is checked as it is over RPC, and texts are
 * brought into the form in which they stand in the log. Rejects with INVALID_INPUT, which names the field and the rule.
 */
export function checkedNodeApi(commands: NodeCommands, queries: NodeQueries): NodeApi {
  const methods = NODE_METHODS.map(({ name, effect, takesNothing, parse }) => {
    const side = (effect === 'command' ? commands : queries) as NodeApi
    const call = side[name].bind(side) as (request?: object) => Promise<unknown>
    return [name, takesNothing ? () => call() : async (request: object) => call(parse(request))]
  })
  // There is one for each method, with its types.
  return Object.fromEntries(methods) as NodeApi
}

function checked<T extends object>(request: z.ZodType<T>): NodeMethod<T> {
  return { request, parse: (asked) => parseRequest(request, asked) }
}

function inLane<T extends AuctionCommand>(request: z.ZodType<T>): NodeMethod<T> {
  return { request, parse: (asked) => parseCommand(request, asked) }
}

function methodsOf(effect: AnyNodeMethod['effect'], table: Partial<Methods<NodeApi>>): readonly AnyNodeMethod[] {
  return Object.entries(table).map(([name, method]) => ({
    ...(method as unknown as NodeMethod<object>),
    name: name as keyof NodeApi,
    effect,
    takesNothing: (method.request as unknown) === noRequest,
  }))
}

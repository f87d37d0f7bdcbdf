import type {
  AuctionCommand,
  BidRequest,
  EventsRequest,
  HistoryRequest,
  ListRequest,
  LogRequest,
  NodeApi,
  OpenRequest,
  ReceiptsRequest,
  ShowRequest,
} from '../../ports/node/node-api.js'
import {
  auctionRequest,
  autoBidRequest,
  cancelRequest,
  commandRequest,
  eventsRequest,
  extendRequest,
  handoverRequest,
  historyRequest,
  listRequest,
  logRequest,
  openRequest,
  parseBid,
  parseCommand,
  parseRequest,
  receiptsRequest,
  showRequest,
} from './request-schemas.js'

/**
 * A node as programs and gateways in its own process see it: what they ask is checked as it is over RPC, and texts are
 * brought into the form in which they stand in the log. Rejects with INVALID_INPUT, which names the field and the rule.
 */
export class CheckedNodeApi implements NodeApi {
  readonly #node: NodeApi

  constructor(node: NodeApi) {
    this.#node = node
  }

  status() {
    return this.#node.status()
  }

  peers() {
    return this.#node.peers()
  }

  async open(request: OpenRequest) {
    return this.#node.open(parseRequest(openRequest, request))
  }

  async bid(request: BidRequest) {
    return this.#node.bid(parseBid(request))
  }

  async buyNow(request: AuctionCommand) {
    return this.#node.buyNow(parseCommand(commandRequest, request))
  }

  async close(request: AuctionCommand) {
    return this.#node.close(parseCommand(commandRequest, request))
  }

  async cancel(request: Parameters<NodeApi['cancel']>[0]) {
    return this.#node.cancel(parseCommand(cancelRequest, request))
  }

  async extend(request: Parameters<NodeApi['extend']>[0]) {
    return this.#node.extend(parseCommand(extendRequest, request))
  }

  async handover(request: Parameters<NodeApi['handover']>[0]) {
    return this.#node.handover(parseRequest(handoverRequest, request))
  }

  async autoBid(request: Parameters<NodeApi['autoBid']>[0]) {
    return this.#node.autoBid(parseRequest(autoBidRequest, request))
  }

  async stopAutoBid(request: Parameters<NodeApi['stopAutoBid']>[0]) {
    return this.#node.stopAutoBid(parseRequest(auctionRequest, request))
  }

  autoBids() {
    return this.#node.autoBids()
  }

  async list(request: ListRequest) {
    return this.#node.list(parseRequest(listRequest, request))
  }

  async show(request: ShowRequest) {
    return this.#node.show(parseRequest(showRequest, request))
  }

  async history(request: HistoryRequest) {
    return this.#node.history(parseRequest(historyRequest, request))
  }

  async events(request: EventsRequest) {
    return this.#node.events(parseRequest(eventsRequest, request))
  }

  async log(request: LogRequest) {
    return this.#node.log(parseRequest(logRequest, request))
  }

  async proof(request: Parameters<NodeApi['proof']>[0]) {
    return this.#node.proof(parseRequest(auctionRequest, request))
  }

  async receipts(request: ReceiptsRequest) {
    return this.#node.receipts(parseRequest(receiptsRequest, request))
  }

  stop() {
    return this.#node.stop()
  }
}

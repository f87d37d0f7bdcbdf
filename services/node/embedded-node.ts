/** Long because it is the whole of a node to other programs, which read it as its documentation. */

/** `import { createNode } from 'vendue'`: a node inside another program. */

import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { newCommandId } from '../../src/application/log/ids.js'
import { explainRejection } from '../../src/application/node/explain-rejection.js'
import { auditedNodeApi } from '../../src/application/node/node-acts.js'
import { addWhole, readWhole } from '../../src/application/pictures/picture-transfer.js'
import { type AmountInput, formatAmount } from '../../src/domain/money.js'
import type { Party } from '../../src/domain/party.js'
import type { Picture, PictureType } from '../../src/domain/pictures/picture.js'
import type { AuctionView, CommandResult } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { KeptPicture } from '../../src/ports/node/node-pictures.js'
import type { NamedPicture } from '../../src/ports/node/node-requests.js'
import type { Logger } from '../../src/ports/system/logger.js'
import { createNode as createWholeNode, type VendueNode } from './create-node.js'
import { type EmbeddedNodeOptions, joinOnce, settingsOf } from './embedded-node-options.js'
import { type NodeEvent, NodeEvents, type NodeEventsByType } from './node-events.js'

export type { EmbeddedNodeOptions, Logger, NodeApi, NodeEvent, NodeEventsByType, Party }
export { NodeError }

/** Amounts are decimal text in the auction's currency; JSON numbers are taken, too. Times are UTC milliseconds. */
export interface NodeAuction {
  readonly auctionId: string
  readonly seq: number
  readonly title: string
  readonly description: string
  readonly currency: string
  /** `ended`: its end has come, and its home has not closed it yet. */
  readonly status: 'scheduled' | 'open' | 'ended' | 'closed' | 'cancelled'
  readonly seller: Party
  /** Opened by this node. */
  readonly own: boolean
  readonly startPrice: string
  readonly price: string | null
  readonly leader: Party | null
  /** The least a new bid must offer; null if no bid would do. */
  readonly minimum: string | null
  readonly bidCount: number
  readonly opensAt: number | null
  readonly closesAt: number | null
  /** Null: not closed, or closed without a sale. */
  readonly winner: Party | null
  readonly finalPrice: string | null
  /** Of the lot; `picture` gives their bytes. */
  readonly pictures: readonly Picture[]
}

/** A rule's no is an outcome, not an error: `code` is stable. */
export type NodeOutcome = AcceptedCommand | RejectedCommand

export interface AcceptedCommand {
  readonly status: 'accepted'
  readonly commandId: string
  readonly seq: number
  /** Of bids: the price after it, and whether it leads. */
  readonly price: string | null
  readonly leads: boolean | null
  /** As far as this node has heard: of another's auction, the events of this very command may still be on their way. */
  readonly auction: NodeAuction
}

export interface RejectedCommand {
  readonly status: 'rejected'
  readonly commandId: string
  readonly code: string
  readonly reason: string
  readonly next: string
  readonly auction: NodeAuction | null
}

export interface OpenAuction {
  readonly title: string
  readonly currency: string
  readonly start: AmountInput
  readonly description?: string
  readonly reserve?: AmountInput
  /** A flat step ("0.50") or bands ("0:5,100:10"). */
  readonly increment?: AmountInput
  readonly buyNow?: AmountInput
  readonly opensAt?: number
  readonly closesAt?: number
  readonly closesInMs?: number
  readonly softClose?: { readonly windowMs: number; readonly extensionMs: number }
  /** True otherwise: an end that falls within a time in which nobody could bid is moved. */
  readonly givesTimeBack?: boolean
  /** Added before with `addPicture`; the first one first. */
  readonly pictures?: readonly NamedPicture[]
}

/** The same id again returns the first outcome, and nothing is done twice; a new one otherwise. */
interface Once {
  readonly commandId?: string
}

export interface EmbeddedNode {
  readonly name: string
  /** `node_...`; from `start` on. */
  readonly id: string
  /** "host:port" where other nodes reach it; from `start` on. */
  readonly address: string
  /** "host:port" of its DHT, for other nodes' `bootstrap`; null with a Grape elsewhere. */
  readonly dhtAddress: string | null
  /** All that a node can do, at the level below this one. Usable between `start` and `stop`. */
  readonly api: NodeApi
  /** Rejects with an error that has a `code`; nothing is left running then. */
  start(): Promise<EmbeddedNode>
  /** Says goodbye and lets go of every resource: the process can end. Idempotent. A stopped node stays so. */
  stop(): Promise<void>
  /** Resolves when the node can no longer be trusted to store and has to be stopped. */
  readonly failed: Promise<Error>

  /** Calls reject with `NodeError`. `auction` is an id, or an unambiguous start of one. */
  open(terms: OpenAuction & Once): Promise<NodeOutcome>
  /** A JPEG, PNG or WebP for `open` to name by the hash; what is about the image and no part of it is removed. */
  addPicture(file: Uint8Array): Promise<KeptPicture>
  /** The bytes of a picture that an auction names, from this node or a peer. */
  picture(hash: string): Promise<{ readonly bytes: Buffer; readonly type: PictureType }>
  bid(auction: string, amount: AmountInput, options?: Once & { readonly kind?: 'plain' | 'max' }): Promise<NodeOutcome>
  /** Of an own auction: `auction.winner` and `auction.finalPrice` of the outcome say who has won. */
  close(auction: string, options?: Once): Promise<NodeOutcome>
  cancel(auction: string, options?: Once & { readonly reason?: string }): Promise<NodeOutcome>
  list(filter?: {
    readonly status?: readonly NodeAuction['status'][]
    readonly limit?: number
    readonly cursor?: string
  }): Promise<{
    readonly auctions: readonly NodeAuction[]
    readonly next: string | null
  }>
  show(auction: string): Promise<NodeAuction>

  /**
   * What happens anywhere in the mesh, in this node's order, from its start on. Gives what takes the listener off
   * again.
   */
  on<K extends keyof NodeEventsByType>(type: K, listener: (event: NodeEventsByType[K]) => void): () => void
  off<K extends keyof NodeEventsByType>(type: K, listener: (event: NodeEventsByType[K]) => void): void
  /** The same from now on, to iterate at one's own pace; ends when the node stops. */
  events(): AsyncIterable<NodeEvent> & { close(): void }
}

/**
 * Makes a node; `start` brings it up. Many can be in one process. Throws INVALID_INPUT for options that no node can
 * have.
 */
export function createNode(options: EmbeddedNodeOptions): EmbeddedNode {
  return new NodeFace(options)
}

class NodeFace implements EmbeddedNode {
  readonly name: string
  readonly #node: VendueNode
  readonly #join: () => Promise<void>
  readonly #events: NodeEvents
  #audited: NodeApi | null = null

  constructor(options: EmbeddedNodeOptions) {
    this.name = options.name
    const logger = options.logger ?? silent
    const settings = settingsOf(options)
    this.#node = createWholeNode(settings, { logger })
    this.#join = () => joinOnce(options, settings)
    this.#events = new NodeEvents({ api: () => this.api, feed: () => this.#node.feed, nodeId: () => this.id, logger })
  }

  get id(): string {
    return this.#node.info.nodeId
  }

  get address(): string {
    return this.#node.info.address
  }

  get dhtAddress(): string | null {
    return this.#node.info.dhtAddress
  }

  get api(): NodeApi {
    return this.#api()
  }

  /** Whoever holds it is recorded as the library. */
  #api(): NodeApi {
    const { api, audit } = this.#node
    this.#audited ??= auditedNodeApi(api, audit, { via: 'library', from: null, who: 'operator' })
    return this.#audited
  }

  get failed(): Promise<Error> {
    return this.#node.failed
  }

  async start(): Promise<EmbeddedNode> {
    await this.#join()
    await this.#node.start()
    await this.#events.start()
    return this
  }

  async stop(): Promise<void> {
    this.#events.stop()
    await this.#node.stop()
    await this.#events.stopped
  }

  addPicture(file: Uint8Array): Promise<KeptPicture> {
    return addWhole(this.api, file)
  }

  picture(hash: string): Promise<{ bytes: Buffer; type: PictureType }> {
    return readWhole(this.api, hash)
  }

  async open({ commandId = newId('cmd'), ...terms }: OpenAuction & Once): Promise<NodeOutcome> {
    return this.#outcome(await this.api.open({ ...terms, commandId }))
  }

  async bid(
    auction: string,
    amount: AmountInput,
    { commandId = newId('bid'), kind = 'plain' }: Once & { readonly kind?: 'plain' | 'max' } = {},
  ): Promise<NodeOutcome> {
    return this.#outcome(await this.api.bid({ auction, commandId, kind, amount }))
  }

  async close(auction: string, { commandId = newId('cmd') }: Once = {}): Promise<NodeOutcome> {
    return this.#outcome(await this.api.close({ auction, commandId }))
  }

  async cancel(
    auction: string,
    { commandId = newId('cmd'), ...why }: Once & { readonly reason?: string } = {},
  ): Promise<NodeOutcome> {
    return this.#outcome(await this.api.cancel({ auction, commandId, ...why }))
  }

  async list({ status, ...page }: Parameters<EmbeddedNode['list']>[0] = {}): ReturnType<EmbeddedNode['list']> {
    const { auctions, next } = await this.api.list({ ...page, ...(status && { statuses: status }) })
    return { auctions: auctions.map((view) => this.#auction(view)), next }
  }

  async show(auction: string): Promise<NodeAuction> {
    return this.#auction(await this.api.show({ auction }))
  }

  on<K extends keyof NodeEventsByType>(type: K, listener: (event: NodeEventsByType[K]) => void): () => void {
    return this.#events.on(type, listener)
  }

  off<K extends keyof NodeEventsByType>(type: K, listener: (event: NodeEventsByType[K]) => void): void {
    this.#events.off(type, listener)
  }

  events(): AsyncIterable<NodeEvent> & { close(): void } {
    return this.#events.iterate()
  }

  async #outcome({ outcome, auction }: CommandResult): Promise<NodeOutcome> {
    const { commandId } = outcome
    if (outcome.status === 'rejected') {
      const currency = auction?.state.terms.currency
      const { message, next } = explainRejection(outcome.rejection, currency ? { currency } : null)
      const known = auction && this.#auction(auction)
      return {
        status: 'rejected',
        commandId,
        code: outcome.rejection.code,
        reason: message,
        next,
        auction: known,
      }
    }
    const view = auction ?? (await this.api.show({ auction: outcome.auctionId }))
    const { seq, bid } = outcome
    const price = bid ? formatAmount(bid.price, view.state.terms.currency) : null
    return {
      status: 'accepted',
      commandId,
      seq,
      price,
      leads: bid?.leads ?? null,
      auction: this.#auction(view),
    }
  }

  #auction({ auctionId, head, state, phase, minimum }: AuctionView): NodeAuction {
    const { terms, seller, leader, bidCount } = state
    const amount = (minor: number) => formatAmount(minor, terms.currency)
    const perhaps = (minor: number | null) => (minor === null ? null : amount(minor))
    const result = state.status === 'closed' && state.result.sold ? state.result : null
    return {
      auctionId,
      seq: head.seq,
      title: terms.title,
      description: terms.description,
      currency: terms.currency.code,
      status: phase,
      seller,
      own: seller.id === this.id,
      startPrice: amount(terms.startPrice),
      price: perhaps(state.price),
      leader,
      minimum: perhaps(minimum),
      bidCount,
      opensAt: terms.opensAt,
      closesAt: state.closesAt,
      winner: result?.winner ?? null,
      finalPrice: result && amount(result.price),
      pictures: terms.pictures,
    }
  }
}

function newId(prefix: 'bid' | 'cmd'): string {
  return newCommandId(prefix, { clock: systemClock, random: systemRandom })
}

const silent: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silent,
}

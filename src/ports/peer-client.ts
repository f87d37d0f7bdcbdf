import type { Commit } from '../domain/commit.js'
import type { Minor } from '../domain/money.js'
import type { Party } from '../domain/party.js'
import type { AuctionHead } from './event-log.js'
import type { Outcome } from './outcome-repository.js'

/** How a node introduces itself. */
export interface NodeInfo {
  readonly nodeId: string
  readonly name: string
  readonly publicKey: string
  /** The software's version. */
  readonly version: string
  /** Where it serves RPC, "host:port". */
  readonly address: string
  readonly dhtAddress: string | null
  /** Grows with every start of the node: UTC milliseconds when it started. */
  readonly incarnation: number
}

/** A command on its way to the home. Salts and commitments are the home's business. */
export type RemoteCommand =
  | {
      readonly type: 'bid'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
      readonly kind: 'plain' | 'max'
      readonly amount: Minor
    }
  | {
      readonly type: 'buy-now'
      readonly auctionId: string
      readonly commandId: string
      readonly bidder: Party
    }
  | { readonly type: 'close'; readonly auctionId: string; readonly commandId: string; readonly by: Party }
  | {
      readonly type: 'cancel'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
      readonly reason: string
    }
  | {
      readonly type: 'extend'
      readonly auctionId: string
      readonly commandId: string
      readonly by: Party
      readonly closesAt: number
    }

/** The answer to one command: its outcome, or why there is none (nothing was done, asking again is safe). */
export type SubmitResult =
  | { readonly ok: true; readonly outcome: Outcome }
  | { readonly ok: false; readonly code: string; readonly message: string }

export interface CallOptions {
  /** Milliseconds until the call is given up; the adapter's default otherwise. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Calls to one chosen peer by its address. A call either resolves with the peer's answer or rejects with a
 * `PeerCallError`; unless that says the request never left (`sent: false`) or that the peer refused it
 * (`answered: true`), its effect is unknown. Nothing is retried here.
 */
export interface PeerClient {
  hello(
    address: string,
    self: NodeInfo,
    options?: CallOptions,
  ): Promise<{ node: NodeInfo; peers: NodeInfo[] }>
  ping(
    address: string,
    self: NodeInfo,
    options?: CallOptions,
  ): Promise<{ nodeId: string; incarnation: number }>
  /** This node leaves the mesh. */
  goodbye(address: string, self: NodeInfo, options?: CallOptions): Promise<void>
  /** One result per command, in order. */
  submit(address: string, commands: readonly RemoteCommand[], options?: CallOptions): Promise<SubmitResult[]>
  pushCommits(address: string, from: string, commits: readonly Commit[], options?: CallOptions): Promise<void>
  pullCommits(
    address: string,
    auctionId: string,
    fromSeq: number,
    options?: CallOptions,
  ): Promise<{ commits: Commit[]; head: AuctionHead | null }>
  /** Pages of the peer's heads in ascending order of auction id. */
  heads(
    address: string,
    afterId: string | null,
    options?: CallOptions,
  ): Promise<{ heads: AuctionHead[]; next: string | null }>
  stop(): Promise<void>
}

export class PeerCallError extends Error {
  readonly address: string
  /** False: the request did not leave this node, so nothing happened. */
  readonly sent: boolean
  /** True: the peer answered, with an error of this `code`. */
  readonly answered: boolean
  constructor(
    readonly code: string,
    message: string,
    info: { address: string; sent: boolean; answered: boolean; cause?: unknown },
  ) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause })
    this.name = 'PeerCallError'
    this.address = info.address
    this.sent = info.sent
    this.answered = info.answered
  }
}

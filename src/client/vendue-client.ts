/** Long because it is the whole client, which programs read as its documentation. */

import { AccountCalls } from './account-calls.js'
import { Backoff } from './backoff.js'
import { type ClientError, RequestRefused } from './client-error.js'
import { newCommandId } from './command-id.js'
import { Emitter, type Listener } from './emitter.js'
import { Gateways } from './gateways.js'
import { type CallOptions, DEFAULT_DEADLINE_MS, type Fetch, HttpCalls, RETRY_BACKOFF } from './http-calls.js'
import { LiveBids } from './live-bids.js'
import { type ConnectionState, LiveConnection } from './live-connection.js'
import type {
  AcceptedBid,
  AcceptedCommand,
  AddedPicture,
  Auction,
  AuctionPage,
  AutoBid,
  BidOutcome,
  BidPage,
  CommandOutcome,
  GatewayInfo,
  ListFilter,
  Me,
  MyBidPage,
  NodeReport,
  OpenTerms,
  Peer,
  ReceiptPage,
  Rejected,
  Winner,
} from './messages.js'
import { type MetricSample, readMetrics } from './metrics-text.js'
import type { AuctionWatch, Watch, WatchMode } from './queued-watch.js'
import { ServerClock } from './server-clock.js'
import { type Credentials, Session, type Tokens } from './session.js'
import { settle } from './settle.js'
import type { SocketMaker } from './sockets.js'
import { StatCalls } from './stat-calls.js'
import { systemTime, type TimeSource } from './time-source.js'
import { Watches } from './watches.js'

export interface ClientOptions extends Credentials {
  /** Addresses of one or more gateways of the mesh: when one fails, the next is used. */
  readonly gateways: readonly string[]
  /** `cookie`: what renews a login stays in a cookie that scripts cannot read; for pages of the gateway itself. */
  readonly keepLogin?: 'memory' | 'cookie'
  /** How long calls wait in total unless they say otherwise; 30 s by default. */
  readonly deadlineMs?: number
  readonly fetch?: Fetch
  /** Opens WebSockets; the platform's by default. */
  readonly sockets?: SocketMaker
  readonly time?: TimeSource
  /** 0 to below 1; spreads retries. */
  readonly random?: () => number
}

export interface ClientEvents {
  readonly connection: ConnectionState
  /** Tokens to keep for the next start. Null: logged out, or the login has ended, `because` of the gateway's answer. */
  readonly tokens: { readonly tokens: Tokens | null; readonly because: ClientError | null }
}

export interface CommandOptions extends CallOptions {
  /** Of an earlier try, to learn what became of it; a new one otherwise. */
  readonly commandId?: string
}

export interface BidOptions extends CallOptions {
  /** `max`: kept secret by the auction's home, which bids up to it. */
  readonly kind?: 'plain' | 'max'
  /** Of an earlier try, to learn what became of it; a new one otherwise. */
  readonly bidId?: string
}

/**
 * A client of the gateways. Calls go on through another gateway when one dies; the same command is sent again with the
 * same id until there is an outcome. Calls reject only with a `ClientError`; a refusal by a rule is an outcome.
 */
export class VendueClient {
  readonly accounts: AccountCalls
  /** The numbers about auctions, for sellers and admins. */
  readonly stats: StatCalls
  /** The gateway's clock, for countdowns; known after the first answer to any watch. */
  readonly clock: ServerClock
  readonly #time: TimeSource
  readonly #random: () => number
  readonly #deadlineMs: number
  readonly #events = new Emitter<ClientEvents>()
  readonly #session: Session
  readonly #http: HttpCalls
  readonly #live: LiveConnection
  readonly #bids: LiveBids
  readonly #watches: Watches

  constructor(options: ClientOptions & { readonly sockets: SocketMaker }) {
    const { sockets, deadlineMs = DEFAULT_DEADLINE_MS, time = systemTime, random = Math.random } = options
    const { fetch = globalThis.fetch.bind(globalThis) } = options
    const gateways = new Gateways(options.gateways)
    this.#time = time
    this.#random = random
    this.#deadlineMs = deadlineMs
    this.clock = new ServerClock({ time })
    this.#http = new HttpCalls({ fetch, gateways, random, time })
    const body = (token: string) => ({ refresh_token: token })
    this.#session = new Session(
      {
        time,
        refresh: (token) =>
          this.#http.ask({ method: 'POST', path: '/api/v1/auth/refresh', body: body(token), deadlineMs }, null),
        onTokens: (tokens, because) => this.#events.emit('tokens', { tokens, because }),
      },
      options,
    )
    const inCookie = options.keepLogin === 'cookie'
    this.accounts = new AccountCalls({ http: this.#http, session: this.#session, inCookie })
    this.stats = new StatCalls({ http: this.#http, session: this.#session })
    const { clock } = this
    const session = this.#session
    const states = this.#events as unknown as Emitter<{ connection: ConnectionState }>
    this.#live = new LiveConnection(
      { clock, gateways, random, session, sockets, time, states },
      {
        online: (gateway) => this.#watches.online(gateway),
        lost: (reason) => {
          this.#bids.lost(reason)
          this.#watches.lost()
        },
        message: (message) => {
          this.#watches.message(message)
          this.#bids.message(message as never)
        },
      },
    )
    const send: LiveConnection['send'] = (message) => this.#live.send(message)
    this.#bids = new LiveBids({ time, send })
    this.#watches = new Watches({ clock, time, send })
  }

  on<K extends keyof ClientEvents>(name: K, listener: Listener<ClientEvents[K]>): () => void {
    return this.#events.on(name, listener)
  }

  off<K extends keyof ClientEvents>(name: K, listener: Listener<ClientEvents[K]>): void {
    this.#events.off(name, listener)
  }

  /** Opens the live connection, so that the clock is set and bids are quick; a watch does it too. Idempotent. */
  connect(): void {
    this.#live.start()
  }

  /** Ends all watches and the connection; nothing keeps the process. Idempotent. */
  close(): void {
    this.#watches.close()
    this.#live.stop()
  }

  list(filter: ListFilter = {}, options: CallOptions = {}): Promise<AuctionPage> {
    const { status, ...rest } = filter
    const query = { ...rest, ...(status && { status: status.join(',') }) }
    return this.#get('/api/v1/auctions', query, options)
  }

  /** By its id, or an unambiguous start of it. */
  show(auction: string, options: CallOptions = {}): Promise<Auction> {
    return this.#get(pathOf(auction), {}, options)
  }

  /** Accepted bids, newest first. */
  history(
    auction: string,
    { beforeSeq, limit, ...options }: CallOptions & { beforeSeq?: number; limit?: number } = {},
  ): Promise<BidPage> {
    return this.#get(`${pathOf(auction)}/bids`, { before_seq: beforeSeq, limit }, options)
  }

  /**
   * What the auction's home has signed for the caller's commands. None if the home is the gateway's own node: what
   * it has decided is on its disk.
   */
  receipts(auction: string, { after, ...options }: CallOptions & { after?: number } = {}): Promise<ReceiptPage> {
    return this.#get(`${pathOf(auction)}/receipts`, { after }, options)
  }

  /** How bidders are known here, and which other gateways have the same ones. */
  gateway(options: CallOptions = {}): Promise<GatewayInfo> {
    return this.#http.ask({ method: 'GET', path: '/api/v1/gateway', deadlineMs: this.#deadlineMs, ...options }, null)
  }

  /** The nodes of the mesh, for admins. */
  async peers(options: CallOptions = {}): Promise<readonly Peer[]> {
    return (await this.#get<{ peers: Peer[] }>('/api/v1/peers', {}, options)).peers
  }

  /** The gateway's own node, for admins. */
  nodeReport(options: CallOptions = {}): Promise<NodeReport> {
    return this.#get('/api/v1/node', {}, options)
  }

  /** The limits up to which the gateway's own node bids for its user, for admins. Nobody else is shown them. */
  async autoBids(options: CallOptions = {}): Promise<readonly AutoBid[]> {
    return (await this.#get<{ auto_bids: AutoBid[] }>('/api/v1/auto-bids', {}, options)).auto_bids
  }

  /** Has the gateway's own node bid up to a limit, or changes the limit, for admins. Harmless when it is done twice. */
  setAutoBid(auction: string, limit: string, options: CallOptions = {}): Promise<AutoBid> {
    const call = { method: 'POST', path: `${pathOf(auction)}/auto-bid`, body: { limit } } as const
    return this.#http.ask({ ...call, deadlineMs: this.#deadlineMs, ...options }, this.#session)
  }

  /** Has the node bid no further. What it has bid stands. */
  stopAutoBid(auction: string, options: CallOptions = {}): Promise<AutoBid> {
    const call = { method: 'DELETE', path: `${pathOf(auction)}/auto-bid` } as const
    return this.#http.ask({ ...call, deadlineMs: this.#deadlineMs, ...options }, this.#session)
  }

  /** What the gateway measures, for admins. */
  async metrics(options: CallOptions = {}): Promise<readonly MetricSample[]> {
    const call = { method: 'GET', path: '/metrics', as: 'text', deadlineMs: this.#deadlineMs } as const
    return readMetrics(await this.#http.ask<string>({ ...call, ...options }, this.#session))
  }

  me(options: CallOptions = {}): Promise<Me> {
    return this.#get('/api/v1/me', {}, options)
  }

  /** Auctions bid on, each with how the caller stands in `you`. */
  myBids(filter: Pick<ListFilter, 'cursor' | 'limit'> = {}, options: CallOptions = {}): Promise<MyBidPage> {
    return this.#get('/api/v1/me/bids', { ...filter }, options)
  }

  myAuctions(filter: Pick<ListFilter, 'cursor' | 'limit'> = {}, options: CallOptions = {}): Promise<AuctionPage> {
    return this.#get('/api/v1/me/auctions', { ...filter }, options)
  }

  /**
   * Adds a picture, for `open` to name through the same gateway. What is about the image and no part of it, such as the
   * place where it was taken, is removed here, before it is sent. Rejects with `RequestRefused` PICTURE_REFUSED for
   * what is no JPEG, PNG or WebP, or too large.
   */
  async addPicture(
    file: Uint8Array | Blob,
    options: CallOptions & { readonly gateway?: string } = {},
  ): Promise<AddedPicture> {
    const { cleanPicture } = await import('../domain/pictures/clean-picture.js')
    const bytes = file instanceof Uint8Array ? file : new Uint8Array(await file.arrayBuffer())
    const cleaned = cleanPicture(bytes)
    if (!cleaned.ok) throw refusedPicture(cleaned)
    const { picture } = cleaned
    const added = await this.#http.ask<AddedPicture>(
      {
        method: 'POST',
        path: '/api/v1/pictures',
        file: { type: picture.type, bytes: new Uint8Array(picture.bytes) },
        attemptMs: UPLOAD_MS,
        deadlineMs: Math.max(UPLOAD_MS, this.#deadlineMs),
        ...options,
      },
      this.#session,
    )
    return { ...added, removed: [...new Set([...picture.removed, ...added.removed])] }
  }

  /** Where a picture that an auction names can be looked at. */
  pictureUrl(hash: string): string {
    return `${this.#http.gateway}/api/v1/pictures/${encodeURIComponent(hash)}`
  }

  /**
   * Opens an auction for the caller, with the gateway's node as its home. It is settled there: `UnknownOutcome` names
   * the gateway beside the id, and both are needed to ask again.
   */
  open(
    terms: OpenTerms,
    { commandId = this.#newId('cmd'), ...options }: CommandOptions & { readonly gateway?: string } = {},
  ): Promise<CommandOutcome> {
    const call = {
      method: 'POST',
      path: '/api/v1/auctions',
      body: { ...terms },
      deadlineMs: this.#deadlineMs,
    } as const
    return this.#http.commandInPlace(commandId, { ...call, ...options }, this.#session, (body) => {
      const auction = body as Auction & { command_id: string }
      const { auction_id, seq, opened_at, command_id } = auction
      return { status: 'accepted', command_id, auction_id, seq, at: opened_at, auction }
    })
  }

  closeAuction(auction: string, options: CommandOptions = {}): Promise<CommandOutcome> {
    return this.#command(`${pathOf(auction)}/close`, {}, options, acceptedOf)
  }

  /** Who has won, also behind a pseudonym of this gateway: for the seller, once the auction is over. */
  winner(auction: string, options: CallOptions = {}): Promise<Winner> {
    return this.#get(`${pathOf(auction)}/winner`, {}, options)
  }

  cancel(auction: string, { reason, ...options }: CommandOptions & { reason?: string } = {}): Promise<CommandOutcome> {
    return this.#command(`${pathOf(auction)}/cancel`, reason === undefined ? {} : { reason }, options, acceptedOf)
  }

  /** The new end: a time (RFC 3339), or a number of seconds after the present one. */
  extend(
    auction: string,
    to: { closesAt: string } | { bySeconds: number },
    options: CommandOptions = {},
  ): Promise<CommandOutcome> {
    const body = 'closesAt' in to ? { closes_at: to.closesAt } : { by_seconds: to.bySeconds }
    return this.#command(`${pathOf(auction)}/extend`, body, options, acceptedOf)
  }

  /**
   * Bids. Settled by itself: where an answer is lost, the same bid is asked about by the same id, through any gateway,
   * until there is an outcome; past the deadline it rejects with `UnknownOutcome`, which names the id.
   */
  bid(auction: string, amount: string, { kind = 'plain', bidId, ...options }: BidOptions = {}): Promise<BidOutcome> {
    const id = bidId ?? this.#newId('bid')
    const message = { type: 'place_bid', auction_id: auction, amount, kind, bid_id: id } as const
    return this.#bid(id, message, { path: `${pathOf(auction)}/bids`, body: { amount, kind } }, options)
  }

  /** Buys the lot at its buy-now price. */
  buyNow(auction: string, { bidId, ...options }: Omit<BidOptions, 'kind'> = {}): Promise<BidOutcome> {
    const id = bidId ?? this.#newId('bid')
    const message = { type: 'buy_now', auction_id: auction, bid_id: id } as const
    return this.#bid(id, message, { path: `${pathOf(auction)}/buy-now`, body: {} }, options)
  }

  /**
   * One auction's events. With `fromSeq`, from there on (1: all there were); otherwise what follows `auction`, as it
   * stands now. `newest` leaves prices out that are overtaken at once; `presence` hears who watches.
   */
  async watch(
    auction: string,
    {
      fromSeq,
      mode = 'all',
      presence = false,
      ...options
    }: CallOptions & { fromSeq?: number; mode?: WatchMode; presence?: boolean } = {},
  ): Promise<AuctionWatch> {
    const now = await this.show(auction, options)
    this.connect()
    return this.#watches.auction(now, {
      afterSeq: fromSeq === undefined ? now.seq : fromSeq - 1,
      mode,
      presence,
    })
  }

  /**
   * All auctions' events from now on. Through another gateway it goes on by each auction's seq; of auctions not heard
   * of before, that may bring events of up to a minute before the start.
   */
  watchAll(): Watch {
    this.connect()
    return this.#watches.catalogue()
  }

  #get<T>(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    options: CallOptions,
  ): Promise<T> {
    return this.#http.ask<T>({ method: 'GET', path, query, deadlineMs: this.#deadlineMs, ...options }, this.#session)
  }

  #command<T>(
    path: string,
    body: Readonly<Record<string, unknown>>,
    { commandId = this.#newId('cmd'), ...options }: CommandOptions,
    accepted: (body: unknown) => T,
  ): Promise<T | Rejected> {
    const call = { method: 'POST', path, body, deadlineMs: this.#deadlineMs, ...options } as const
    return this.#http.command(commandId, call, this.#session, accepted)
  }

  async #bid(
    commandId: string,
    message: Parameters<LiveBids['ask']>[1],
    { path, body }: { path: string; body: Readonly<Record<string, unknown>> },
    options: CallOptions,
  ): Promise<BidOutcome> {
    const session = this.#session
    const call = { method: 'POST', path, body, ...(options.signal && { signal: options.signal }) } as const
    // The socket is quicker where there is one; HTTP says more of what went wrong, and needs none.
    let overSocket = this.#live.signedIn
    const ask = async (leftMs: number) => {
      const live = overSocket ? this.#bids.ask(commandId, message, leftMs) : null
      overSocket = false
      if (live) return live
      return this.#http.commandOnce(commandId, call, { session, leftMs, accepted: acceptedBidOf })
    }
    const backoff = new Backoff(RETRY_BACKOFF, this.#random)
    const { deadlineMs = this.#deadlineMs, signal } = options
    return settle(ask, { time: this.#time, backoff }, { commandId, deadlineMs, signal })
  }

  #newId(prefix: 'bid' | 'cmd'): string {
    return newCommandId(prefix, this.clock.now())
  }
}

/** Time for a large file over a slow line. */
const UPLOAD_MS = 60_000

function refusedPicture({ rule, next }: { readonly rule: string; readonly next: string }): RequestRefused {
  return new RequestRefused({ code: 'PICTURE_REFUSED', detail: `the picture ${rule}`, field: 'picture', next }, 422)
}

function pathOf(auction: string): string {
  return `/api/v1/auctions/${encodeURIComponent(auction)}`
}

function acceptedOf(body: unknown): AcceptedCommand {
  return body as AcceptedCommand
}

function acceptedBidOf(body: unknown): AcceptedBid {
  const { command_id, auction_id, seq, at, leads, price, reserve_met, currency } = body as AcceptedBid
  return {
    status: 'accepted',
    command_id,
    auction_id,
    seq,
    at,
    currency,
    leads: leads ?? true,
    price,
    reserve_met: reserve_met ?? true,
  }
}

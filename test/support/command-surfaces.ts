import { PassThrough, Writable } from 'node:stream'
import { createNode, type EmbeddedNode } from 'vendue'
import { createClient } from 'vendue/client'
import { processDeps } from '../../bin/process-deps.js'
import { runCli } from '../../src/adapters/cli/run-cli.js'
import { LiveClients, type Message, type WebSocketClient } from './account-client.js'
import { eventually } from './eventually.js'
import { makeTempHome } from './temp-home.js'
import { TestGateway } from './test-gateway.js'

/** A command in words that every surface has its own for. Amounts are decimal text, spans seconds. */
export type Asked =
  | ({ readonly do: 'open' } & AskedTerms)
  | { readonly do: 'bid'; readonly auction: string; readonly amount: string; readonly kind: 'plain' | 'max' }
  | { readonly do: 'buy-now' | 'close'; readonly auction: string }
  | { readonly do: 'cancel'; readonly auction: string; readonly reason: string }
  | { readonly do: 'extend'; readonly auction: string; readonly by: number }
  | { readonly do: 'extend'; readonly auction: string; readonly to: number }

export interface AskedTerms {
  readonly title: string
  readonly description: string
  readonly currency: string
  readonly start: string
  readonly reserve: string
  readonly increment: string
  readonly buyNow: string
  readonly opensIn?: number
  readonly closesIn: number
  readonly window: number
  readonly extension: number
  readonly hardStopIn?: number
  readonly pseudonyms?: true
}

/** What a surface answered, as far as all of them say it. */
export interface Answered {
  /** `accepted`, or why not. */
  readonly code: string
  readonly auction: string | null
  readonly seq: number | null
}

/** One way to ask a node for something. */
export interface Surface {
  readonly name: string
  /** What it has words for. */
  readonly says: (asked: Asked) => boolean
  readonly ask: (asked: Asked, id: string) => Promise<Answered>
}

const NAMES = ['shop', 'anna'] as const

/**
 * Two nodes with gateways, and every surface to both: `shop` sells, `anna` bids; behind the gateways `sam` and `ben`
 * do.
 */
export class TwoNodes {
  readonly #home = makeTempHome()
  #nodes: EmbeddedNode[] = []
  #gateway: TestGateway | null = null
  #clients = new LiveClients()
  #sockets = new Map<string, WebSocketClient>()

  async start(): Promise<void> {
    for (const name of NAMES) {
      const bootstrap = this.#nodes.flatMap(({ dhtAddress }) => dhtAddress ?? [])
      this.#nodes.push(await createNode({ name, mesh: 'twice', home: this.#home.home, bootstrap }).start())
    }
    await eventually('they see each other', async () => {
      const peers = await Promise.all(this.#nodes.map(({ api }) => api.peers()))
      return peers.every((list) => list.some(({ state }) => state === 'alive'))
    })
    this.#gateway = await TestGateway.start(this.shop)
  }

  async stop(): Promise<void> {
    this.#clients.close()
    this.#clients = new LiveClients()
    this.#sockets.clear()
    await this.#gateway?.stop()
    await Promise.all(this.#nodes.map((node) => node.stop()))
    this.#nodes = []
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  dispose(): void {
    this.#home.remove()
  }

  get shop(): EmbeddedNode {
    return this.#nodes[0] as EmbeddedNode
  }

  get anna(): EmbeddedNode {
    return this.#nodes[1] as EmbeddedNode
  }

  /** Events in the auction's log, at its home. */
  async length(auction: string): Promise<number> {
    return (await this.shop.show(auction)).seq
  }

  /** Bidders' nodes have heard of it. */
  known(auction: string): Promise<unknown> {
    return eventually(`anna knows ${auction}`, () => this.anna.show(auction).catch(() => null))
  }

  readonly surfaces: readonly Surface[] = [
    { name: 'the library', says: inLibrary, ask: (asked, id) => this.#library(asked, id) },
    { name: 'the node API', says: () => true, ask: (asked, id) => this.#api(asked, id) },
    { name: 'the command line', says: () => true, ask: (asked, id) => this.#cli(asked, id) },
    { name: 'HTTP', says: () => true, ask: (asked, id) => this.#http(asked, id) },
    { name: 'vendue/client', says: () => true, ask: (asked, id) => this.#client(asked, id) },
    { name: 'WebSocket', says: overWebSocket, ask: (asked, id) => this.#webSocket(asked, id) },
    { name: 'Socket.IO', says: overSocketIo, ask: (asked, id) => this.#socketIo(asked, id) },
  ]

  async #library(asked: Asked, commandId: string): Promise<Answered> {
    const { shop, anna } = this
    const outcome = await (() => {
      switch (asked.do) {
        case 'open':
          return shop.open({ ...openRequest(asked), commandId })
        case 'bid':
          return anna.bid(asked.auction, asked.amount, { kind: asked.kind, commandId })
        case 'close':
          return shop.close(asked.auction, { commandId })
        case 'cancel':
          return shop.cancel(asked.auction, { reason: asked.reason, commandId })
        default:
          throw new Error(`the library has no words for ${asked.do}`)
      }
    })()
    return outcome.status === 'accepted'
      ? { code: 'accepted', auction: outcome.auction.auctionId, seq: outcome.seq }
      : { code: outcome.code, auction: outcome.auction?.auctionId ?? null, seq: null }
  }

  async #api(asked: Asked, commandId: string): Promise<Answered> {
    const [{ api: shop }, { api: anna }] = [this.shop, this.anna]
    const { outcome } = await (() => {
      switch (asked.do) {
        case 'open':
          return shop.open({ ...openRequest(asked), commandId })
        case 'bid':
          return anna.bid({ auction: asked.auction, commandId, kind: asked.kind, amount: asked.amount })
        case 'buy-now':
          return anna.buyNow({ auction: asked.auction, commandId })
        case 'close':
          return shop.close({ auction: asked.auction, commandId })
        case 'cancel':
          return shop.cancel({ auction: asked.auction, commandId, reason: asked.reason })
        case 'extend':
          return shop.extend({
            auction: asked.auction,
            commandId,
            ...('by' in asked ? { addedMs: asked.by * 1_000 } : { closesAt: asked.to }),
          })
        default:
          return unknown(asked)
      }
    })()
    return outcome.status === 'accepted'
      ? { code: 'accepted', auction: outcome.auctionId, seq: outcome.seq }
      : { code: outcome.rejection.code, auction: outcome.auctionId || null, seq: null }
  }

  async #cli(asked: Asked, id: string): Promise<Answered> {
    const name = asked.do === 'bid' || asked.do === 'buy-now' ? 'anna' : 'shop'
    const words = [...cliWords(asked), '--id', id, '--name', name, '--json']
    const written = { stdout: '', stderr: '' }
    const sink = (stream: keyof typeof written) =>
      new Writable({
        decodeStrings: false,
        write: (text: string, _encoding, done) => {
          written[stream] += text
          done()
        },
      })
    await runCli(words, processDeps, {
      stdin: new PassThrough(),
      stdout: sink('stdout'),
      stderr: sink('stderr'),
      env: { VENDUE_HOME: this.#home.home },
      userHome: this.#home.home,
      timeZone: 'UTC',
      now: () => Date.now(),
      ended: new AbortController().signal,
    })
    if (written.stdout === '') throw new Error(`${words.join(' ')} printed nothing: ${written.stderr}`)
    return answered(JSON.parse(written.stdout))
  }

  async #http(asked: Asked, id: string): Promise<Answered> {
    const gateway = this.#gateway as TestGateway
    const send = async (path: string, user_id: string, body: object) => {
      const answer = await gateway.post(path, { user_id, ...body }, { 'idempotency-key': id })
      return answered(answer.body)
    }
    if (asked.do === 'open') return send('/api/v1/auctions', 'sam', openBody(asked))
    const path = `/api/v1/auctions/${asked.auction}`
    switch (asked.do) {
      case 'bid':
        return send(`${path}/bids`, 'ben', { amount: asked.amount, kind: asked.kind })
      case 'buy-now':
        return send(`${path}/buy-now`, 'ben', {})
      case 'close':
        return send(`${path}/close`, 'sam', {})
      case 'cancel':
        return send(`${path}/cancel`, 'sam', { reason: asked.reason })
      case 'extend':
        return send(
          ...([`${path}/extend`, 'sam'] as const),
          'by' in asked ? { by_seconds: asked.by } : { closes_at: new Date(asked.to).toISOString() },
        )
      default:
        return unknown(asked)
    }
  }

  async #client(asked: Asked, id: string): Promise<Answered> {
    const { url } = this.#gateway as TestGateway
    const user = asked.do === 'bid' || asked.do === 'buy-now' ? 'ben' : 'sam'
    const client = createClient({ gateways: [url], user })
    try {
      const outcome = await (() => {
        switch (asked.do) {
          case 'open':
            return client.open(openBody(asked), { commandId: id })
          case 'bid':
            return client.bid(asked.auction, asked.amount, { kind: asked.kind, bidId: id })
          case 'buy-now':
            return client.buyNow(asked.auction, { bidId: id })
          case 'close':
            return client.closeAuction(asked.auction, { commandId: id })
          case 'cancel':
            return client.cancel(asked.auction, { reason: asked.reason, commandId: id })
          case 'extend':
            return client.extend(
              asked.auction,
              'by' in asked ? { bySeconds: asked.by } : { closesAt: new Date(asked.to).toISOString() },
              { commandId: id },
            )
          default:
            return unknown(asked)
        }
      })()
      return outcome.status === 'accepted'
        ? { code: 'accepted', auction: outcome.auction_id, seq: outcome.seq }
        : { code: outcome.code, auction: null, seq: null }
    } finally {
      client.close()
    }
  }

  async #webSocket(asked: Asked, bid_id: string): Promise<Answered> {
    if (asked.do !== 'bid' && asked.do !== 'buy-now') throw new Error(`WebSockets have no words for ${asked.do}`)
    const { wsUrl } = this.#gateway as TestGateway
    const socket = this.#sockets.get(wsUrl) ?? (await this.#clients.webSocket(`${wsUrl}/ws?user_id=ben`))
    this.#sockets.set(wsUrl, socket)
    const before = socket.heard.length
    const { auction: auction_id } = asked
    socket.send(
      asked.do === 'bid'
        ? { type: 'place_bid', auction_id, bid_id, amount: asked.amount, kind: asked.kind }
        : { type: 'buy_now', auction_id, bid_id },
    )
    const answer = await eventually('an answer', () =>
      socket.heard.slice(before).find(({ type }: Message) => /^bid_(accepted|rejected|unknown)$/.test(type)),
    )
    return answered(answer)
  }

  async #socketIo(asked: Asked, id: string): Promise<Answered> {
    const user = asked.do === 'close' ? 'sam' : 'ben'
    const client = this.#clients.socketIo(this.#gateway as TestGateway, { user_id: user })
    try {
      if (asked.do === 'bid') {
        const { auction: auctionId, amount, kind } = asked
        return answered(await client.ask('placeBid', { auctionId, amount, kind, bidId: id }))
      }
      if (asked.do === 'close')
        return answered(await client.ask('endAuction', { auctionId: asked.auction, commandId: id }))
      throw new Error(`Socket.IO has no words for ${asked.do}`)
    } finally {
      client.socket.disconnect()
    }
  }
}

/** Whatever a surface sends in JSON. */
function answered(body: Message): Answered {
  const code = body.error?.code ?? body.rejection?.code ?? body.code
  const auction = body.auction_id ?? body.auctionId ?? null
  if (code !== undefined) return { code, auction, seq: null }
  return { code: 'accepted', auction, seq: body.seq }
}

function inLibrary(asked: Asked): boolean {
  if (asked.do === 'open') return !asked.opensIn && !asked.hardStopIn && !asked.pseudonyms
  return asked.do === 'bid' || asked.do === 'close' || asked.do === 'cancel'
}

function overWebSocket(asked: Asked): boolean {
  return asked.do === 'bid' || asked.do === 'buy-now'
}

function overSocketIo(asked: Asked): boolean {
  return asked.do === 'bid' || asked.do === 'close'
}

function openRequest({ title, description, currency, start, reserve, increment, buyNow, ...terms }: AskedTerms) {
  return {
    title,
    description,
    currency,
    start,
    reserve,
    increment,
    buyNow,
    closesInMs: terms.closesIn * 1_000,
    softClose: { windowMs: terms.window * 1_000, extensionMs: terms.extension * 1_000 },
    ...(terms.opensIn && { opensInMs: terms.opensIn * 1_000 }),
    ...(terms.hardStopIn && { hardStopInMs: terms.hardStopIn * 1_000 }),
    ...(terms.pseudonyms && { bidderNames: 'pseudonyms' as const }),
  }
}

/** HTTP knows no span for the opening and the hard stop: moments far ahead stand for them. */
function openBody({ title, description, currency, start, reserve, increment, buyNow, ...terms }: AskedTerms) {
  const moment = (seconds: number) => new Date(Date.UTC(2032, 0, 1) + seconds * 1_000).toISOString()
  return {
    title,
    description,
    currency,
    start_price: start,
    reserve,
    increment,
    buy_now: buyNow,
    closes_in_seconds: terms.closesIn,
    ...(terms.opensIn && { opens_at: moment(terms.opensIn) }),
    soft_close: {
      window_ms: terms.window * 1_000,
      extension_ms: terms.extension * 1_000,
      ...(terms.hardStopIn && { hard_stop_at: moment(terms.hardStopIn + 86_400) }),
    },
    ...(terms.pseudonyms && { bidder_names: 'pseudonyms' as const }),
  }
}

function cliWords(asked: Asked): string[] {
  switch (asked.do) {
    case 'open': {
      const { title, description, currency, start, reserve, increment, buyNow } = asked
      return [
        ...['open', title, '--description', description, '--currency', currency, '--start', start],
        ...['--reserve', reserve, '--increment', increment, '--buy-now', buyNow],
        ...['--closes-in', `${asked.closesIn}s`, '--soft-close', `${asked.window}s/${asked.extension}s`],
        ...(asked.opensIn ? ['--opens-at', `+${asked.opensIn}s`] : []),
        ...(asked.hardStopIn ? ['--hard-stop', `+${asked.hardStopIn}s`] : []),
        ...(asked.pseudonyms ? ['--pseudonyms'] : []),
      ]
    }
    case 'bid':
      return ['bid', asked.auction, ...(asked.kind === 'max' ? ['--max', asked.amount] : [asked.amount])]
    case 'buy-now':
      return ['bid', asked.auction, '--buy-now']
    case 'close':
      return ['close', asked.auction]
    case 'cancel':
      return ['cancel', asked.auction, '--reason', asked.reason]
    case 'extend':
      return [
        ...['extend', asked.auction],
        ...('by' in asked ? ['--by', `${asked.by}s`] : ['--to', new Date(asked.to).toISOString()]),
      ]
    default:
      return unknown(asked)
  }
}

function unknown(asked: never): never {
  throw new Error(`unknown command ${JSON.stringify(asked)}`)
}

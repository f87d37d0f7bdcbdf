import { createClient } from '../../../src/client/browser.js'
import type { ClientOptions, VendueClient } from '../../../src/client/exports.js'
import type { SocketLike } from '../../../src/client/sockets.js'
import { ManualTime, settle } from '../../support/manual-time.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a client said, whatever it is.
type Message = any

export interface FakeRequest {
  readonly gateway: string
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: Headers
  readonly body: Message
}

/** Answers a request; throws to break the connection. */
export type Handler = (request: FakeRequest) => {
  status?: number
  body?: unknown
  headers?: Record<string, string>
}

/** A WebSocket of which the test is the other end. */
export class FakeSocket implements SocketLike {
  readonly url: string
  readonly sent: Message[] = []
  closed = false
  onopen: ((event: never) => void) | null = null
  onmessage: ((event: never) => void) | null = null
  onclose: ((event: never) => void) | null = null
  onerror: ((event: never) => void) | null = null

  constructor(url: string) {
    this.url = url
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text))
  }

  close(): void {
    this.closed = true
  }

  /** What was sent of a type. */
  all(type: string): Message[] {
    return this.sent.filter((message) => message.type === type)
  }

  tell(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never)
  }

  break(): void {
    this.onclose?.({ code: 1006, reason: '' } as never)
  }
}

export const AUCTION = 'auc_00000000000000000000000000'

export function anAuction(seq: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: AUCTION, auction_id: AUCTION, seq, title: 'Lot', currency: 'EUR', status: 'open', ...more }
}

export function anEvent(seq: number, more: Record<string, unknown> = {}): Record<string, unknown> {
  const timestamp = new Date(Date.UTC(2026, 0, 1)).toISOString()
  return {
    type: 'bid_placed',
    auction_id: AUCTION,
    seq,
    title: 'Lot',
    timestamp,
    price: `${seq}.00`,
    ...more,
  }
}

/** A client whose network and time are the test's. */
export class FakeGateways {
  readonly time = new ManualTime()
  readonly sockets: FakeSocket[] = []
  readonly requests: FakeRequest[] = []
  readonly client: VendueClient
  /** False: upgrades are refused. */
  serves = true
  handler: Handler = () => ({ body: anAuction(0) })

  constructor(options: Partial<ClientOptions> = {}) {
    this.client = createClient({
      gateways: ['http://a', 'http://b'],
      user: 'anna',
      time: this.time,
      random: () => 0.5,
      fetch: (url, init) => this.#fetch(url, init),
      sockets: { sendsHeaders: false, open: (url) => this.#open(url) },
      ...options,
    })
  }

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1)
    if (!socket) throw new Error('no socket was opened')
    return socket
  }

  /** Lets everything begin that is about to, and then time pass. */
  async advance(ms: number): Promise<void> {
    await settle()
    await this.time.advance(ms)
  }

  /** Greets on the newest socket, by the name in its address. */
  async welcome(auth: 'open' | 'accounts' = 'open'): Promise<void> {
    await settle()
    const server_time = new Date(this.time.now()).toISOString()
    const name = new URL(this.socket.url).searchParams.get('user_id')
    const user = name === null ? null : { id: `guest:${name}`, name }
    this.socket.tell({ type: 'welcome', server_time, user, auth, ping_interval_ms: 25_000 })
    await settle()
  }

  /** Says yes to `authenticate`. */
  async authenticated(): Promise<void> {
    await settle()
    const user = { id: 'usr_anna', name: 'anna' }
    this.socket.tell({ type: 'authenticated', user, scopes: ['read', 'bid'] })
    await settle()
  }

  #open(url: string): FakeSocket {
    const socket = new FakeSocket(url)
    this.sockets.push(socket)
    if (!this.serves) setImmediate(() => socket.break())
    return socket
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const { origin, pathname, searchParams } = new URL(url)
    const request = {
      gateway: origin,
      method: init.method ?? 'GET',
      path: pathname,
      query: searchParams,
      headers: new Headers(init.headers),
      body: init.body ? JSON.parse(String(init.body)) : null,
    }
    this.requests.push(request)
    const { status = 200, body = {}, headers = {} } = this.handler(request)
    return new Response(status === 204 ? null : JSON.stringify(body), { status, headers })
  }
}

export function broken(code?: string): never {
  throw new TypeError('fetch failed', { cause: Object.assign(new Error('broken'), { code }) })
}

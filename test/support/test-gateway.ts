import { type GatewayNeeds, type RunningGateway, startGateway } from '../../services/gateway/create-gateway.js'
import type { VendueNode } from '../../services/node/create-node.js'
import type { GatewaySettings } from '../../src/adapters/system/gateway-settings.js'
import { silentLogger } from './silent-logger.js'

export const GATEWAY_SETTINGS: GatewaySettings = {
  host: '127.0.0.1',
  port: 0,
  portTaken: 'error',
  origins: [],
  gateways: [],
  auth: 'open',
  authOpenAnywhere: false,
  currency: 'USD',
  maxConnections: 1_000,
  maxConnectionsPerAddress: 1_000,
  trustedProxies: [],
  dataDir: '/nonexistent',
  auditKeepMs: null,
  accounts: { registration: 'open', selfRoles: ['bidder', 'seller'] },
  limits: null,
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
  readonly body: any
}

/** A gateway over a node of a test, and a client for its HTTP API. */
export class TestGateway {
  private constructor(readonly gateway: RunningGateway) {}

  static async start(
    node: Pick<VendueNode, 'api'> & Partial<Pick<VendueNode, 'feed'>>,
    settings: Partial<GatewaySettings> = {},
    parts: Partial<GatewayNeeds> = {},
  ): Promise<TestGateway> {
    const all = { api: node.api, feed: node.feed, logger: silentLogger, ...parts }
    return new TestGateway(await startGateway({ ...GATEWAY_SETTINGS, ...settings }, all))
  }

  get url(): string {
    return this.gateway.url
  }

  get wsUrl(): string {
    return this.url.replace('http', 'ws')
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(await fetch(this.url + path, { headers }))
  }

  async post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const text = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
    return answerOf(await fetch(this.url + path, { method: 'POST', headers: { ...json, ...headers }, body: text }))
  }

  /** Opens an auction and gives its id. */
  async open(terms: Record<string, unknown> = {}): Promise<string> {
    const { status, body } = await this.post('/api/v1/auctions', {
      title: 'Lot',
      start_price: '10',
      currency: 'EUR',
      increment: '1',
      user_id: 'sam',
      ...terms,
    })
    if (status !== 201) throw new Error(`open was answered with ${status}: ${JSON.stringify(body)}`)
    return body.id
  }

  bid(auction: string, user: string, amount: string | number, more: Record<string, unknown> = {}): Promise<Answer> {
    return this.post(`/api/v1/auctions/${auction}/bids`, { user_id: user, amount, ...more })
  }

  stop(): Promise<void> {
    return this.gateway.stop()
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '')
  const { status, headers } = response
  return { status, headers, body: isJson && text !== '' ? JSON.parse(text) : text }
}

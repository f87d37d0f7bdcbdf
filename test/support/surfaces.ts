import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { io, type Socket } from 'socket.io-client'
import { WebSocket } from 'ws'
import { processDeps } from '../../bin/process-deps.js'
import type { VendueNode } from '../../services/node/create-node.js'
import { runCli } from '../../src/adapters/cli/run-cli.js'
import type { NodeConnection } from '../../src/adapters/cli/session/cli-deps.js'
import type { AmountInput } from '../../src/domain/money.js'
import type { CommandResult } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { TestGateway } from './test-gateway.js'

/** What a surface answers: `accepted`, or the code of its refusal. */
export interface Said {
  readonly code: string
  readonly auctionId: string
}

export interface Opening {
  readonly title: string
  readonly currency: string
  readonly start: AmountInput
  readonly description?: string
  readonly reserve?: AmountInput
  readonly increment?: AmountInput
  readonly buyNow?: AmountInput
  readonly opensAt?: number
  readonly closesAt?: number
  readonly softClose?: { readonly windowMs: number; readonly extensionMs: number }
  readonly key?: string
}

export interface Bidding {
  readonly amount: AmountInput
  readonly kind?: 'plain' | 'max'
  readonly key?: string
}

/** One way to a node. What it cannot say in its own words throws `Unsayable`. */
export interface Surface {
  readonly name: string
  open?(opening: Opening): Promise<Said>
  cancel?(auctionId: string, reason: string, key?: string): Promise<Said>
  extend?(auctionId: string, closesAt: number): Promise<Said>
  bid?(auctionId: string, bid: Bidding): Promise<Said>
}

export class Unsayable extends Error {}

let keys = 0
const newKey = (prefix: 'bid' | 'cmd') => `${prefix}_${String(++keys).padStart(12, '0')}`

export interface Surfaces {
  readonly all: readonly Surface[]
  readonly gateway: TestGateway
  stop(): Promise<void>
}

/** Every way to the home: of its own user, its gateway's clients, and another node's user. */
export async function openSurfaces(home: VendueNode, other: VendueNode): Promise<Surfaces> {
  const gateway = await TestGateway.start(home)
  const socket = new WebSocket(`${gateway.wsUrl}/ws?user_id=walter`)
  await once(socket, 'open')
  const ioSocket = io(`${gateway.url}/auction`, { auth: { user_id: 'ida' }, forceNew: true })
  await new Promise<void>((resolve) => ioSocket.once('connect', () => resolve()))
  const [toHome, toOther] = [await connectTo(home), await connectTo(other)]
  const rpc = { name: 'RPC', ...bySeller(toHome.api), ...byBidder(toOther.api) }
  const library = { name: 'the library', ...bySeller(home.api), ...byBidder(other.api) }
  const all: Surface[] = [
    library,
    rpc,
    await commandLine(home, other),
    http(gateway),
    webSocket(socket),
    socketIo(ioSocket),
  ]
  return {
    all,
    gateway,
    async stop() {
      socket.terminate()
      ioSocket.disconnect()
      await Promise.all([toHome.close(), toOther.close(), gateway.stop()])
    },
  }
}

async function connectTo(node: VendueNode): Promise<NodeConnection> {
  const { dataDir } = await node.api.status()
  const token = readFileSync(join(dataDir, 'operator.token'), 'utf8').trim()
  const { address, nodeId } = node.info
  return processDeps.connect({ address, token, nodeId, home: null })
}

async function said(call: Promise<CommandResult>): Promise<Said> {
  try {
    const { outcome } = await call
    const code = outcome.status === 'accepted' ? 'accepted' : outcome.rejection.code
    return { code, auctionId: outcome.auctionId }
  } catch (error) {
    if (error instanceof NodeError) return { code: error.code, auctionId: '' }
    throw error
  }
}

function bySeller(api: NodeApi): Required<Pick<Surface, 'open' | 'cancel' | 'extend'>> {
  return {
    open: ({ key = newKey('cmd'), ...terms }) => said(api.open({ ...terms, commandId: key })),
    cancel: (auction, reason, key = newKey('cmd')) => said(api.cancel({ auction, commandId: key, reason })),
    extend: (auction, closesAt) => said(api.extend({ auction, commandId: newKey('cmd'), closesAt })),
  }
}

function byBidder(api: NodeApi): Required<Pick<Surface, 'bid'>> {
  return {
    bid: (auction, { key = newKey('bid'), amount, kind = 'plain' }) =>
      said(api.bid({ auction, commandId: key, amount, kind })),
  }
}

function text(value: AmountInput): string {
  if (typeof value === 'string') return value
  throw new Unsayable('a command line knows no numbers')
}

async function commandLine(home: VendueNode, other: VendueNode): Promise<Surface> {
  const { dataDir } = await home.api.status()
  const vendueHome = dirname(dirname(dataDir))
  const run = async (node: VendueNode, words: readonly string[]): Promise<Said> => {
    let stdout = ''
    const sink = (write: (text: string) => void) =>
      new Writable({
        decodeStrings: false,
        write: (chunk: string, _, done) => {
          write(chunk)
          done()
        },
      })
    const code = await runCli([`--name=${node.info.name}`, '--json', ...words], processDeps, {
      stdin: new PassThrough(),
      stdout: sink((chunk) => (stdout += chunk)),
      stderr: sink(() => {}),
      env: { VENDUE_HOME: vendueHome },
      userHome: vendueHome,
      timeZone: 'UTC',
      now: Date.now,
      ended: new AbortController().signal,
    })
    const answer = JSON.parse(stdout || '{}')
    const refusal = answer.rejection?.code ?? answer.error?.code ?? answer.code ?? `exit ${code}`
    return { code: code === 0 ? 'accepted' : refusal, auctionId: answer.auction_id ?? '' }
  }
  const option = (name: string, value: string | undefined) => (value === undefined ? [] : [`--${name}=${value}`])
  const at = (ms: number | undefined) => {
    if (ms === undefined) return undefined
    if (ms < 0 || ms > 253_402_300_799_999) throw new Unsayable('no time that can be written')
    return new Date(ms).toISOString()
  }
  const span = (ms: number) => {
    if (ms % 1_000 !== 0 || ms <= 0) throw new Unsayable('durations are of seconds')
    return `${ms / 1_000}s`
  }
  return {
    name: 'the command line',
    open: ({ title, currency, start, description, reserve, increment, buyNow, softClose, ...more }) =>
      run(home, [
        ...['open', `--currency=${currency}`, `--start=${text(start)}`],
        ...option('description', description),
        ...option('reserve', reserve === undefined ? undefined : text(reserve)),
        ...option('increment', increment === undefined ? undefined : text(increment)),
        ...option('buy-now', buyNow === undefined ? undefined : text(buyNow)),
        ...option('opens-at', at(more.opensAt)),
        ...option('closes-at', at(more.closesAt)),
        ...option('soft-close', softClose && `${span(softClose.windowMs)}/${span(softClose.extensionMs)}`),
        ...option('id', more.key),
        ...['--', title],
      ]),
    cancel: (auctionId, reason) => run(home, ['cancel', auctionId, `--reason=${reason}`]),
    extend: (auctionId, closesAt) => run(home, ['extend', auctionId, `--to=${at(closesAt)}`]),
    bid: (auctionId, { amount, kind, key }) =>
      run(other, [
        'bid',
        ...option('id', key),
        ...(kind === 'max' ? [`--max=${text(amount)}`, auctionId] : ['--', auctionId, text(amount)]),
      ]),
  }
}

function http(gateway: TestGateway): Surface {
  const time = (ms: number | undefined) => {
    if (ms === undefined) return undefined
    if (ms < 0 || ms > 253_402_300_799_999) throw new Unsayable('no time that can be written')
    return new Date(ms).toISOString()
  }
  const post = async (path: string, body: object, key?: string): Promise<Said> => {
    if (key !== undefined && /[^\t\x20-\x7e\x80-\xff]/.test(key)) throw new Unsayable('no header')
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
    const answer = await gateway.post(path, body, headers)
    const code = answer.status < 300 ? 'accepted' : answer.body.code
    return { code, auctionId: answer.body.auction_id ?? answer.body.id ?? '' }
  }
  return {
    name: 'HTTP',
    open: ({ key, start, buyNow, opensAt, closesAt, softClose, ...terms }) =>
      post(
        '/api/v1/auctions',
        {
          user_id: 'sam',
          ...terms,
          start_price: start,
          buy_now: buyNow,
          opens_at: time(opensAt),
          closes_at: time(closesAt),
          soft_close: softClose && { window_ms: softClose.windowMs, extension_ms: softClose.extensionMs },
        },
        key,
      ),
    cancel: (auctionId, reason) => post(`/api/v1/auctions/${auctionId}/cancel`, { user_id: 'sam', reason }),
    extend: (auctionId, closesAt) =>
      post(`/api/v1/auctions/${auctionId}/extend`, { user_id: 'sam', closes_at: time(closesAt) }),
    bid: (auctionId, { amount, kind = 'plain', key }) =>
      post(`/api/v1/auctions/${auctionId}/bids`, { user_id: 'hanna', amount, kind, bid_id: key }),
  }
}

function webSocket(socket: WebSocket): Surface {
  return {
    name: 'WebSocket',
    async bid(auctionId, { amount, kind = 'plain', key }) {
      const answer = new Promise<Said>((resolve) => {
        const onMessage = (data: unknown) => {
          const { type, code } = JSON.parse(String(data))
          if (!['bid_accepted', 'bid_rejected', 'bid_unknown', 'error'].includes(type)) return
          socket.off('message', onMessage)
          resolve({ code: type === 'bid_accepted' ? 'accepted' : code, auctionId })
        }
        socket.on('message', onMessage)
      })
      socket.send(JSON.stringify({ type: 'place_bid', auction_id: auctionId, amount, kind, bid_id: key }))
      return answer
    },
  }
}

function socketIo(socket: Socket): Surface {
  return {
    name: 'Socket.IO',
    async bid(auctionId, { amount, kind = 'plain', key }) {
      const request = { auctionId, amount, kind, ...(key !== undefined && { bidId: key }) }
      const { ok, code } = await socket.timeout(10_000).emitWithAck('placeBid', request)
      return { code: ok ? 'accepted' : code, auctionId }
    },
  }
}

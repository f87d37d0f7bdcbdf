import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { type GatewayAccounts, openAccounts } from '../../services/gateway/accounts.js'
import { DEFAULT_OPEN, limitsSetting, type OpenName } from '../../src/application/gateway/limit-rules.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import { LiveClients, type Member, type Message, register } from '../support/account-client.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

/** What came of one more: how to let go of it, or the refusal. */
type Taken = { release(): unknown } | { refused: string }

interface Caller {
  readonly address: string
  /** Null: nobody. */
  readonly member: Member | null
}

const MOST = 3

describe('what an address and an account can hold at a gateway', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts
  let auctions: string[]
  let seller: Member
  const dir = makeTempDir()
  const clients = new LiveClients()
  let callers = 0
  const log = { ends: [] as (() => void)[] }

  before(async () => {
    mesh = await createTestMesh(1)
    const open = Object.keys(DEFAULT_OPEN).map((name) => `${name}:1000`)
    const limits = limitsSetting.parse(['registrations_per_address:1000/1m', ...open].join(','))
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    await start({})
    seller = await register(gateway, 'seller')
    const terms = { title: 'Lot', start_price: '10', currency: 'EUR' }
    auctions = []
    for (let i = 0; i <= MOST; i++)
      auctions.push((await gateway.post('/api/v1/auctions', terms, seller.headers)).body.id)
    await gateway.stop()
    await accounts.close()
  })

  afterEach(async () => {
    for (const end of log.ends.splice(0)) end()
    clients.close()
    await gateway.stop()
    await accounts.close()
  })

  after(async () => {
    await mesh?.stop()
    dir.remove()
  })

  /** With one limit in the way, and none of the others. */
  async function start(tight: Partial<Record<OpenName, number>>) {
    const rates = ['registrations', 'connections', 'calls'].map((what) => `${what}_per_address:100000/1m`)
    const open = Object.keys(DEFAULT_OPEN).map((name) => `${name}:${tight[name as OpenName] ?? 1_000}`)
    const limits = limitsSetting.parse([...rates, 'connections_per_account:100000/1m', ...open].join(','))
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    const settings = { auth: 'accounts', trustedProxies: ['127.0.0.1'] } as const
    gateway = await TestGateway.start({ api: endlessLogs(mesh.nodes[0]!.api) }, settings, accounts.parts)
  }

  /** A log whose next page never comes: a download lasts as long as its reader stays. */
  function endlessLogs(api: NodeApi): NodeApi {
    return new Proxy(api, {
      get(target, name: keyof NodeApi) {
        if (name !== 'log') return target[name].bind(target)
        return async (asked: { auction: string; fromSeq: number }) => {
          if (asked.fromSeq > 1) await new Promise<void>((resolve) => log.ends.push(resolve))
          const page = await target.log(asked)
          return { ...page, head: { ...page.head, seq: page.head.seq + (asked.fromSeq > 1 ? 0 : 1) } }
        }
      },
    })
  }

  const headersOf = ({ address, member }: Caller) => ({ 'x-forwarded-for': address, ...member?.headers })

  async function webSocket(path: string, caller: Caller): Promise<Taken & { socket?: WebSocket }> {
    const socket = new WebSocket(gateway.wsUrl + path, { headers: headersOf(caller) })
    socket.on('error', () => {})
    const opened = once(socket, 'open')
    const [[response]] = (await Promise.race([
      opened.then(() => [[null]]),
      once(socket, 'unexpected-response').then(([, answer]) => [[answer]]),
    ])) as [[null | AsyncIterable<Buffer>]]
    if (response !== null) return { refused: limitOf(JSON.parse(await textOf(response))) }
    return { socket, release: () => closed(socket) }
  }

  async function closed(socket: WebSocket): Promise<void> {
    socket.terminate()
    await once(socket, 'close')
  }

  /** What a WebSocket hears of, each on a connection of its own. */
  async function subscribed(auction: string, caller: Caller): Promise<Taken> {
    const opened = await webSocket('/ws', caller)
    if (!opened.socket) return opened
    const { socket } = opened
    const heard: Message[] = []
    socket.on('message', (data) => heard.push(JSON.parse(data.toString())))
    socket.send(JSON.stringify({ type: 'subscribe', auction_id: auction }))
    const answer = await eventually('an answer', () => heard.find(({ type }) => /^(subscribed|error)$/.test(type)))
    if (answer.type === 'error') return { refused: limitOf(answer) }
    return { release: () => closed(socket) }
  }

  /** A session of Engine.IO, and nothing in it. */
  async function session(transport: 'polling' | 'websocket', caller: Caller): Promise<Taken> {
    const path = `/socket.io/?EIO=4&transport=${transport}`
    if (transport === 'polling') {
      const { status, body } = await gateway.get(path, headersOf(caller))
      if (status !== 200) return { refused: body.message }
      const { sid } = JSON.parse(String(body).slice(1))
      return { release: () => fetch(`${gateway.url}${path}&sid=${sid}`, { method: 'POST', body: '1' }) }
    }
    const socket = new WebSocket(gateway.wsUrl + path, { headers: headersOf(caller) })
    socket.on('error', () => {})
    const refused = await Promise.race([
      once(socket, 'message').then(() => null),
      once(socket, 'unexpected-response').then(async ([, answer]) => textOf(answer)),
    ])
    return refused === null ? { release: () => closed(socket) } : { refused: 'TOO_MANY_REQUESTS' }
  }

  async function socketIo({ address, member }: Caller): Promise<Taken & { join?(id: string): Promise<Message> }> {
    const client = clients.socketIo(gateway, member ? { token: member.token } : {}, {
      extraHeaders: { 'x-forwarded-for': address },
    })
    const refused = await Promise.race([
      new Promise<string>((resolve) => client.socket.once('connect_error', () => resolve('TOO_MANY_REQUESTS'))),
      client.next('connectionRejected').then(limitOf),
      // Answered once it is known who asks.
      client.ask('leaveAuction', { auctionId: 'auc_none' }).then(() => null),
    ]).catch(() => 'TOO_MANY_REQUESTS')
    if (refused !== null) return { refused }
    const release = () => client.socket.disconnect()
    return { release, join: (auctionId) => client.ask('joinAuction', { auctionId }) }
  }

  async function joined(auction: string, caller: Caller): Promise<Taken> {
    const opened = await socketIo(caller)
    const answer = await opened.join?.(auction)
    return answer?.ok === false ? { refused: limitOf(answer) } : opened
  }

  async function stream(path: string, caller: Caller): Promise<Taken> {
    const abort = new AbortController()
    const response = await fetch(gateway.url + path, { headers: headersOf(caller), signal: abort.signal })
    if (response.status !== 200) return { refused: limitOf((await response.json()) as Message) }
    return { release: () => abort.abort() }
  }

  async function download(auction: string, caller: Caller): Promise<Taken> {
    const sent = request(`${gateway.url}/api/v1/auctions/${auction}/log`, { headers: headersOf(caller) })
    sent.on('error', () => {}).end()
    const [response] = await once(sent, 'response')
    if (response.statusCode !== 200) return { refused: limitOf(JSON.parse(await textOf(response))) }
    return { release: () => sent.destroy() }
  }

  /** A file whose end never comes. */
  async function upload(caller: Caller): Promise<Taken> {
    const before = accounts.limits.held('uploads')
    const whose = { ...caller, member: caller.member ?? seller }
    const headers = { ...headersOf(whose), 'content-type': 'image/png', 'content-length': '1000' }
    const sent = request(`${gateway.url}/api/v1/pictures`, { method: 'POST', headers })
    sent.on('error', () => {}).write('beginning')
    const held = () => accounts.limits.held('uploads')
    let refused: string | null = null
    sent.once('response', async (response) => {
      refused = limitOf(JSON.parse(await textOf(response)))
    })
    await eventually('it is held, or refused', () => refused !== null || held() > before)
    if (refused !== null) return { refused }
    return {
      async release() {
        const most = held()
        sent.destroy()
        await eventually('it is given back', () => held() < most)
      },
    }
  }

  async function tcp(): Promise<Taken> {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write('GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
    const [answer] = await once(socket, 'data')
    if (String(answer).startsWith('HTTP/1.1 200')) return { release: () => socket.destroy() }
    return { refused: limitOf(JSON.parse(/\{.*\}/.exec(String(answer))?.[0] ?? '{}')) }
  }

  type Take = (caller: Caller, n: number) => Promise<Taken>
  const connections: [string, Take][] = [
    ['WebSockets', (caller) => webSocket('/ws', caller)],
    ['WebSockets of one auction', (caller) => webSocket(`/ws/auction/${auctions[0]}`, caller)],
    ['Socket.IO connections', (caller) => socketIo(caller)],
    ['event streams', (caller) => stream('/api/v1/events', caller)],
    ['event streams of one auction', (caller) => stream(`/api/v1/events?auction=${auctions[0]}`, caller)],
  ]
  const subscriptions: [string, Take][] = [
    ['auctions heard over WebSockets', (caller, n) => subscribed(auctions[n] as string, caller)],
    ['auctions joined over Socket.IO', (caller, n) => joined(auctions[n] as string, caller)],
    ['event streams', (caller) => stream('/api/v1/events', caller)],
  ]
  const downloads: [string, Take][] = [['logs that are sent', (caller) => download(auctions[0] as string, caller)]]

  const uploads: [string, Take][] = [['pictures that are added slowly', upload]]

  /**
   * Everything that can be held, by the limit that bounds it: a new limit, and a new way to hold something, goes here.
   */
  const TABLE: Record<OpenName, [string, Take][]> = {
    open_sockets_per_address: [['TCP connections', tcp]],
    open_connections_per_address: [
      ...connections,
      ['Socket.IO sessions by polling, in no namespace', (caller) => session('polling', caller)],
      ['Socket.IO sessions over WebSockets, in no namespace', (caller) => session('websocket', caller)],
    ],
    open_connections_per_account: connections,
    open_subscriptions_per_address: subscriptions,
    open_subscriptions_per_account: subscriptions,
    open_downloads_per_address: downloads,
    open_downloads_per_account: downloads,
    open_uploads_per_address: uploads,
    open_uploads_per_account: uploads,
  }

  for (const [limit, ways] of Object.entries(TABLE) as [OpenName, [string, Take][]][])
    for (const [what, take] of ways)
      it(`is bounded by ${limit}, of ${what}, and free again when it is given back`, async () => {
        await start({ [limit]: MOST })
        // Sockets are counted where they are nobody else's: not of a proxy.
        if (limit === 'open_sockets_per_address') await restartWithoutProxy({ [limit]: MOST })
        const byAccount = limit.endsWith('_per_account')
        const member = byAccount ? await register(gateway, `holder-${++callers}`) : null
        const caller = (n: number) => ({ address: `203.0.113.${byAccount ? n + 1 : 7}`, member })
        const held: Taken[] = []
        for (let n = 0; n < MOST; n++) held.push(await take(caller(n), n))
        expect(held.filter((one) => 'refused' in one)).to.deep.equal([])
        const more = await take(caller(MOST), MOST)
        expect('refused' in more && more.refused).to.be.oneOf([limit, 'TOO_MANY_REQUESTS'])
        const [first] = held as [{ release(): unknown }]
        await first.release()
        await eventually('there is room', async () => {
          const again = await take(caller(MOST), MOST)
          return !('refused' in again)
        })
      })

  async function restartWithoutProxy(tight: Partial<Record<OpenName, number>>): Promise<void> {
    await gateway.stop()
    await accounts.close()
    const open = Object.entries(tight).map(([name, most]) => `${name}:${most}`)
    const limits = limitsSetting.parse(open.join(','))
    accounts = await openAccounts(dir.path, { limits }, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, { auth: 'accounts' }, accounts.parts)
  }

  it('has every limit in this table', () => {
    gateway = { stop: async () => {} } as TestGateway
    expect(Object.keys(TABLE)).to.have.members(Object.keys(DEFAULT_OPEN))
  })

  it('counts 700 Socket.IO sessions of one address for what they are, and lets others in', async () => {
    await start({ open_connections_per_address: 20 })
    const flood = { address: '203.0.113.66', member: null }
    const taken = await Promise.all(Array.from({ length: 700 }, () => session('polling', flood)))
    expect(taken.filter((one) => !('refused' in one))).to.have.length(20)
    expect(await session('polling', { ...flood, address: '203.0.113.67' })).not.to.have.property('refused')
    const metrics = await gateway.gateway.services.parts.metrics.page.text()
    expect(metrics).to.contain('vendue_gateway_held{what="connections"} 21')
    expect(metrics).to.contain('vendue_gateway_refusals{limit="open_connections_per_address"} 680')
  })

  it('lets a Socket.IO session into no other namespace, and into its own once', async () => {
    await start({})
    const socket = new WebSocket(`${gateway.wsUrl}/socket.io/?EIO=4&transport=websocket`)
    const heard: string[] = []
    socket.on('message', (data) => heard.push(data.toString()))
    await once(socket, 'open')
    // Several at once: each is asked for before the first is granted.
    for (const packet of ['40', '40/other,', '40/auction,', '40/auction,']) socket.send(packet)
    await eventually('all are answered', () => heard.filter((text) => /^4[04]/.test(text)).length === 4)
    const answers = heard.filter((text) => /^4[04]/.test(text)).map((text) => text.split('{')[0])
    expect(answers).to.have.members(['44', '44/other,', '40/auction,', '44/auction,'])
    expect(accounts.limits.held('connections')).to.equal(1)
    await closed(socket)
    await eventually('it is free', () => accounts.limits.held('connections') === 0)
  })
})

function limitOf({ limit, code }: Message): string {
  return limit ?? code ?? 'unknown'
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk
  return text
}

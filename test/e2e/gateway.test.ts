import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { eventually } from '../support/eventually.js'
import { NodeProcess, testEnv, VENDUE, vendue, vendueJson } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

// biome-ignore lint/suspicious/noExplicitAny: tests look at what a server said, whatever it is.
type Message = any

describe('gateways in processes of their own', () => {
  const { home, remove } = makeTempHome()
  const children: ChildProcess[] = []
  let node: NodeProcess

  const startGateway = async (...more: string[]): Promise<{ url: string; child: ChildProcess }> => {
    const words = ['gateway', '--name', 'main', '--http-port', '0', '--json', '--log-level', 'error', ...more]
    const child = spawn(process.execPath, [VENDUE, ...words], {
      env: testEnv(home),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
    return { url: JSON.parse(line).http, child }
  }

  before(async () => {
    node = await NodeProcess.start({ home, name: 'main', args: ['--grape-port', '0', '--dht-port', '0'] })
  })

  after(async () => {
    for (const child of children) child.kill('SIGKILL')
    await node?.end()
    remove()
  })

  it('lose no acknowledged bid when one is killed: its bidders resume through another', async () => {
    const [first, second] = await Promise.all([startGateway(), startGateway()])
    const opened = await fetch(`${first.url}/api/v1/auctions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ title: 'Lot', start_price: 1, currency: 'EUR', increment: 1, user_id: 'sam' }),
    })
    const { id } = (await opened.json()) as { id: string }
    /** By what the client calls the bid. */
    const acknowledged = new Map<string, string>()
    const seqs: number[] = []
    const connect = async (url: string) => {
      const from = (seqs.at(-1) ?? 0) + 1
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/auction/${id}?user_id=anna&from_seq=${from}`)
      socket.on('error', () => {})
      socket.on('message', (data) => {
        const message: Message = JSON.parse(data.toString())
        if (message.type === 'bid_accepted') acknowledged.set(message.client_id, message.bid_id)
        if (typeof message.seq === 'number' && message.timestamp && message.type !== 'bid_accepted' && message.title)
          seqs.push(message.seq)
      })
      await once(socket, 'open')
      return socket
    }
    // A maximum of somebody else's answers each bid: one bidder can go on alone.
    const rival = await fetch(`${first.url}/api/v1/auctions/${id}/bids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ amount: 1_000_000, kind: 'max', user_id: 'ben' }),
    })
    expect(rival.status).to.equal(201)
    let socket = await connect(first.url)
    let amount = 1
    const bid = () => {
      amount += 2
      socket.send(JSON.stringify({ type: 'place_bid', amount, bid_id: `bid_amount-of-${amount}` }))
    }
    for (let i = 0; i < 40; i++) bid()
    await eventually('some bids are acknowledged', () => acknowledged.size > 5)
    first.child.kill('SIGKILL')
    await once(socket, 'close')
    socket = await connect(second.url)
    for (let i = 0; i < 10; i++) bid()
    await eventually('bids through the other', async () => acknowledged.has(`bid_amount-of-${amount}`))
    const { bids } = (await (await fetch(`${second.url}/api/v1/auctions/${id}/bids?limit=1000`)).json()) as Message
    const stored = bids.map(({ bid_id }: Message) => bid_id)
    expect(stored).to.include.members([...acknowledged.values()])
    expect(new Set(stored).size).to.equal(stored.length)
    await eventually('all events', () => seqs.length === bids.length + 1)
    expect(seqs).to.deep.equal(Array.from({ length: bids.length + 1 }, (_, i) => i + 1))
    socket.terminate()
    expect(await vendueJson(home, ['show', id])).to.include({ bid_count: bids.length })
  })

  it('take another token key from the command line while they run, and drop the old ones on request', async () => {
    const gateways = await Promise.all([1, 2].map(() => startGateway('--auth', 'accounts')))
    const post = async (url: string, path: string, body: object): Promise<Message> =>
      (
        await fetch(url + path, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      ).json()
    const statuses = (token: string) =>
      Promise.all(
        gateways.map(
          async ({ url }) =>
            (await fetch(`${url}/api/v1/me`, { headers: { authorization: `Bearer ${token}` } })).status,
        ),
      )
    const first = gateways[0]!
    const anna = await post(first.url, '/auth/register', {
      username: 'anna',
      password: 'correct horse battery',
    })
    expect(await statuses(anna.access_token)).to.deep.equal([200, 200])
    const rotated = await vendueJson(home, ['user', 'rotate-key', '--name', 'main'])
    const renewed = await post(first.url, '/auth/refresh', { refresh_token: anna.refresh_token })
    const header = JSON.parse(Buffer.from(renewed.access_token.split('.')[0], 'base64url').toString())
    expect(header.kid, 'it signs at once').to.equal(rotated.key_id)
    expect(await statuses(renewed.access_token), 'and the other one knows it').to.deep.equal([200, 200])
    expect(await statuses(anna.access_token)).to.deep.equal([200, 200])
    const words = await vendue(home, ['user', 'rotate-key', '--now', '--name', 'main'])
    expect(words.code).to.equal(0)
    expect(words.stdout).to.contain('Those that were out are refused')
    for (const token of [anna.access_token, renewed.access_token])
      await eventually('it is refused by both', async () => (await statuses(token)).every((status) => status === 401))
    const last = await post(first.url, '/auth/refresh', { refresh_token: renewed.refresh_token })
    expect(await statuses(last.access_token)).to.deep.equal([200, 200])
    const wrong = await vendue(home, ['user', 'rotate-key', 'anna', '--name', 'main', '--json'])
    expect([wrong.code, JSON.parse(wrong.stdout).error.code]).to.deep.equal([2, 'USAGE'])
  })

  it('go on when their node is started again', async () => {
    const { url } = await startGateway()
    expect((await fetch(`${url}/ready`)).status).to.equal(200)
    await node.end()
    const down = await fetch(`${url}/ready`)
    expect(down.status).to.equal(503)
    expect(((await down.json()) as Message).code).to.equal('NODE_UNREACHABLE')
    expect((await fetch(`${url}/health`)).status).to.equal(200)
    await node.start()
    await eventually('it is ready again', async () => (await fetch(`${url}/ready`)).status === 200)
    const events = await fetch(`${url}/api/v1/events`)
    const opened = await node.api.open({
      commandId: 'cmd_gatewaye2e',
      title: 'New',
      currency: 'EUR',
      start: '5',
    })
    const reader = events.body!.getReader()
    let text = ''
    while (!text.includes(opened.outcome.auctionId)) text += Buffer.from((await reader.read()).value ?? []).toString()
    await reader.cancel()
  })

  it('stop with their node process, inside it, after they have said so', async () => {
    const inside = await NodeProcess.start({
      home,
      name: 'inside',
      args: ['--grape-port', '0', '--dht-port', '0', '--http-port', '0'],
      env: { VENDUE_GATEWAY: 'yes' },
    })
    const url = await eventually('it says where', () => /http {3}(http:\S+) \(auth open/.exec(inside.output)?.[1])
    expect((await fetch(`${url}/health`)).status).to.equal(200)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    const closed = once(socket, 'close') as Promise<[number]>
    expect(await inside.end()).to.equal(0)
    expect((await closed)[0]).to.equal(1012)
  })

  it('let those in whom an operator gives an account while they run, and out whom one disables', async () => {
    const words = ['--name', 'main', '--http-port', '0', '--json', '--log-level', 'error', '--auth', 'accounts']
    const child = spawn(process.execPath, [VENDUE, 'gateway', ...words], {
      env: testEnv(home),
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [line] = (await once(createInterface({ input: child.stdout! }), 'line')) as [string]
    const ready = JSON.parse(line)
    expect(ready.auth).to.equal('accounts')
    const post = async (path: string, body: object, token = '') => {
      const response = await fetch(ready.http + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          ...(token && { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      })
      return (await response.json()) as Message
    }
    const input = 'correct horse battery'
    for (const name of ['sally', 'bert']) {
      const added = await vendue(home, ['user', 'add', name, '--name', 'main'], { input })
      expect(added.code, added.stderr).to.equal(0)
    }
    const login = async (username: string) =>
      (await post('/auth/login', { username, password: input })).access_token as string
    const [sally, bert] = [await login('sally'), await login('bert')]
    const { id } = await post(
      '/api/v1/auctions',
      { title: 'Lot', start_price: 1, currency: 'EUR', bidder_names: 'pseudonyms' },
      sally,
    )
    expect((await post(`/api/v1/auctions/${id}/bids`, { amount: 5 }, bert)).status).to.equal('accepted')
    const shown = await vendueJson<Message>(home, ['show', id])
    expect(shown.leader.id).to.match(/^anon_/)
    const socket = new WebSocket(`${ready.http.replace('http', 'ws')}/ws?access_token=${bert}`)
    const heard: Message[] = []
    socket.on('message', (data) => heard.push(JSON.parse(data.toString())))
    await once(socket, 'open')
    expect((await vendue(home, ['user', 'disable', 'bert', '--name', 'main'])).code).to.equal(0)
    expect((await post(`/api/v1/auctions/${id}/bids`, { amount: 9 }, bert)).code).to.equal('ACCOUNT_DISABLED')
    const told = await eventually('it is told', () => heard.find(({ type }) => type === 'signed_out'), 10_000)
    expect(told.code).to.equal('ACCOUNT_DISABLED')
    socket.terminate()
  })
})

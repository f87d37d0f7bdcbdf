import { expect } from 'chai'
import { type GatewayAccounts, openAccounts } from '../../../services/gateway/accounts.js'
import { HOST_COMMANDS } from '../../../src/adapters/cli/run-cli.js'
import { operatorRpcs } from '../../../src/adapters/grenache/rpc/operator-rpcs.js'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import type { Act } from '../../../src/ports/audit/audit.js'
import { PASSWORD, register } from '../../support/account-client.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { TestGateway } from '../../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../../support/test-mesh.js'

/** Peers' commands that leave no line, each for a reason that stands beside it. */
const UNAUDITED = ['hello', 'goodbye', 'push-commits', 'push-members', 'refusal', 'equivocation']
const TERMS = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }

describe('what is recorded of what comes to a gateway', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: GatewayAccounts
  const dir = makeTempDir()
  const acts: Act[] = []
  const audit = { record: (act: Act) => void acts.push(act) }

  before(async () => {
    mesh = await createTestMesh(1)
    accounts = await openAccounts(dir.path, {}, { logger: silentLogger, audit })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, { ...accounts.parts, audit })
  })
  beforeEach(() => acts.splice(0))
  after(async () => {
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const call = (method: string, path: string, headers: Record<string, string> = {}) =>
    fetch(gateway.url + path, { method, headers })

  it('leaves a line for each route that changes something, also for nobody known with nothing in it', async () => {
    const { paths } = (await (await call('GET', '/docs/json')).json()) as { paths: Record<string, object> }
    const changing = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods)
        .filter((method) => !['get', 'head', 'options'].includes(method))
        .map((method) => [method.toUpperCase(), path.replaceAll(/\{\w+\}/g, 'x')] as const),
    )
    expect(changing.length).to.be.greaterThan(12)
    for (const [method, path] of changing) {
      acts.splice(0)
      const { status } = await call(method, path)
      const line = await eventually(`${method} ${path}`, async () => acts.find(({ code }) => code !== 'ok') ?? acts[0]!)
      expect(line, `${method} ${path} ${status}`).to.include({ via: 'http', from: '127.0.0.1' })
    }
  })

  it('says who sold, bid and closed, under which command, with which key', async () => {
    const [seller, bidder] = [await register(gateway, 'sam'), await register(gateway, 'bea')]
    const opened = await gateway.post('/api/v1/auctions', TERMS, seller.headers)
    const auction: string = opened.body.id
    const made = await gateway.post('/api/v1/me/api-keys', { label: 'r', scopes: ['read', 'bid'] }, bidder.headers)
    const key = { 'x-api-key': made.body.api_key, 'idempotency-key': 'bid_mine0001' }
    const bids = `/api/v1/auctions/${auction}/bids`
    expect((await gateway.post(bids, { amount: '12' }, key)).status).to.equal(201)
    expect((await gateway.post(bids, { amount: '3' }, bidder.headers)).status).to.equal(409)
    expect((await gateway.post(`/api/v1/auctions/${auction}/close`, {}, bidder.headers)).status).to.be.greaterThan(399)
    expect((await gateway.post(`/api/v1/auctions/${auction}/close`, {}, seller.headers)).status).to.equal(200)
    const about = (act: string) => acts.filter((one) => one.act === act)
    const { sub: _, ...ids } = { sub: null, seller: about('auction.open')[0]?.who, bidder: about('key.create')[0]?.who }
    expect(ids.seller).to.match(/^usr_/)
    expect(about('account.register').map(({ who }) => who)).to.deep.equal([ids.seller, ids.bidder])
    expect(about('auction.open')[0]).to.include({ auction, code: 'ok', via: 'http' })
    expect(about('key.create')[0]).to.include({ about: made.body.id, code: 'ok' })
    const [good, low] = about('bid')
    expect(good).to.include({ who: ids.bidder, key: made.body.id, auction, code: 'ok' })
    expect(good?.command).to.match(/^bid_/)
    expect(low).to.include({ who: ids.bidder, auction, code: 'ALREADY_LEADING' })
    expect(about('auction.close').map(({ who, code }) => [who, code === 'ok'])).to.deep.equal([
      [ids.bidder, false],
      [ids.seller, true],
    ])
  })

  it('says who failed to log in, where the account exists, and never what was typed', async () => {
    await register(gateway, 'kim')
    acts.splice(0)
    await gateway.post('/auth/login', { username: 'kim', password: 'hunter2-wrong-one' })
    await gateway.post('/auth/login', { username: 'hunter2-mistyped', password: PASSWORD })
    await call('GET', '/api/v1/me', { authorization: 'Bearer hunter2-token' })
    const [known, unknown, token] = acts
    expect(known).to.include({ act: 'account.log-in', code: 'LOGIN_FAILED' })
    expect(known?.who).to.match(/^usr_/)
    expect(unknown).to.include({ act: 'account.log-in', code: 'LOGIN_FAILED', who: null })
    expect(token).to.include({ act: 'account.authenticate', code: 'TOKEN_INVALID', via: 'http' })
    expect(JSON.stringify(acts)).to.not.include('hunter2')
  })
})

describe('what is recorded of what comes over RPC', () => {
  const rpcs = [...rpcTable({ peer: {}, operator: handlers(), mesh: {} } as never).values()]

  it('leaves a line for each command, or says beside it why it does not', () => {
    const result = { picture: { hash: '00' }, results: [], publicKey: '', parcel: {}, lines: [] }
    const request = { publicKey: 'A'.repeat(43), parcel: { auctionId: 'auc_1' }, commands: [], mandates: [] }
    for (const rpc of rpcs) {
      const failed = rpc.acts(null, { code: 'FORBIDDEN' })
      const method = Object.values(operatorRpcs).find(({ name }) => name === rpc.name)
      const isCommand = rpc.effect === 'command'
      if (!isCommand || UNAUDITED.includes(rpc.name.replace('vendue.', ''))) {
        if (isCommand) expect(failed, rpc.name).to.deep.equal([])
        continue
      }
      expect(failed, rpc.name).to.have.length(1)
      expect(failed[0], rpc.name).to.include({ code: 'FORBIDDEN' })
      if (rpc.name !== 'vendue.submit') expect(rpc.acts(request, { result }), rpc.name).to.have.length(1)
      if (method) expect(failed[0]?.act).to.not.include('peer.')
    }
  })

  it('has a line for each command of a batch, under the name of who speaks', () => {
    const submit = rpcs.find(({ name }) => name === 'vendue.submit')
    const bidder = { id: 'usr_7', name: 'Kim' }
    const command = { type: 'PlaceBid', auctionId: 'auc_1', commandId: 'bid_1', bidder }
    const outcome = { status: 'accepted', auctionId: 'auc_1', commandId: 'bid_1', seq: 2, at: 1 }
    const results = [
      { ok: true, outcome },
      { ok: false, code: 'BUSY', message: '' },
    ]
    const commands = [command, { ...command, type: 'CloseAuction', commandId: 'cmd_2', by: bidder }]
    expect(submit?.acts({ commands, mandates: [] }, { result: { results, receipt: null } })).to.deep.equal([
      { act: 'bid', who: 'usr_7', auction: 'auc_1', command: 'bid_1', code: 'ok' },
      { act: 'auction.close', who: 'usr_7', auction: 'auc_1', command: 'cmd_2', code: 'BUSY' },
    ])
  })
})

describe('what is recorded of commands of the command line', () => {
  it('says of each where its line is written', () => {
    const local = HOST_COMMANDS.filter(({ audited }) => typeof audited === 'function').map(
      ({ usage }) => usage.split(' ')[0],
    )
    expect(local).to.have.members(['repair', 'user', 'api-key', 'mesh', 'cluster'])
    for (const { audited, usage } of HOST_COMMANDS) expect(audited, usage).to.not.equal(undefined)
  })
})

function handlers(): object {
  return new Proxy({}, { get: () => () => Promise.resolve() })
}

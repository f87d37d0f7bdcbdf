import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect } from 'node:net'
import { type Duplex, Readable } from 'node:stream'
import { status } from '@grpc/grpc-js'
import { expect } from 'chai'
import { openAccounts } from '../../services/gateway/accounts.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { readExport } from '../../src/application/proof/export-format.js'
import { CallerError } from '../../src/ports/accounts/caller.js'
import { eventually } from '../support/eventually.js'
import { GrpcClient, type Message, refusedBy } from '../support/grpc-client.js'
import { silentLogger } from '../support/silent-logger.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const ONE_TOO_MANY = { code: 'TOO_MANY_REQUESTS', limit: 'sockets', retryAfterSeconds: 7, next: 'close some' }
const TERMS = { title: 'Lot', start_price: '10', currency: 'EUR', increment: '1' }

describe('a gateway over gRPC', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  let sam: GrpcClient
  let anna: GrpcClient
  const open = async (terms: Message = {}): Promise<string> => {
    return (await sam.call('OpenAuction', { ...TERMS, ...terms })).auction.id
  }

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!)
    sam = await GrpcClient.of(gateway.url, { 'x-vendue-user': 'sam' })
    anna = await GrpcClient.of(gateway.url, { 'x-vendue-user': 'anna' })
  })

  after(async () => {
    sam?.close()
    anna?.close()
    await gateway?.stop()
    await mesh?.stop()
  })

  it('opens, shows and lists auctions as over HTTP', async () => {
    const id = await open({
      reserve: '60',
      closes_in: { seconds: 7_200 },
      soft_close: { window_ms: 1, extension_ms: 2 },
    })
    const { auction } = await anna.call('GetAuction', { auction_id: id })
    const { body } = await gateway.get(`/api/v1/auctions/${id}`)
    for (const field of ['id', 'hash', 'status', 'title', 'currency', 'start_price', 'minimum', 'has_reserve', 'seq'])
      expect(auction[field], field).to.equal(body[field])
    expect(auction.seller).to.deep.equal(body.seller)
    expect(1_000 * auction.closes_at.seconds + auction.closes_at.nanos / 1e6).to.equal(Date.parse(body.closes_at))
    expect(auction.soft_close).to.include({ window_ms: 1, extension_ms: 2 })
    const page = await anna.call('ListAuctions', { seller: 'guest:sam', page_size: 1 })
    expect(page.auctions.map((each: Message) => each.id)).to.deep.equal([id])
  })

  it('takes bids, buys, and answers what was refused with the code and numbers of HTTP', async () => {
    const id = await open({ buy_now: '90' })
    const { outcome } = await anna.call('PlaceBid', { auction_id: id, amount: '12.50' })
    expect(outcome).to.include({ auction_id: id, leads: true, price: '12.50', reserve_met: true, currency: 'EUR' })
    const bert = await GrpcClient.of(gateway.url, { 'x-vendue-user': 'bert' })
    const low = await bert.refusal('PlaceBid', { auction_id: id, amount: '12.60' })
    const http = (await gateway.bid(id, 'bert', '12.60')).body
    expect(low).to.include({ status: status.FAILED_PRECONDITION, message: http.detail })
    expect(low.detail).to.include({ code: 'BID_TOO_LOW', next: http.next })
    expect(low.detail.data.fields.minimum.stringValue).to.equal('13.50')
    const max = await bert.call('PlaceBid', { auction_id: id, amount: '40', kind: 'BID_KIND_MAX' })
    expect(max.outcome).to.include({ leads: true, price: '13.50' })
    const { bids } = await anna.call('ListBids', { auction_id: id })
    expect(bids.map((bid: Message) => [bid.kind, bid.price, bid.amount])).to.deep.equal([
      ['max', '13.50', undefined],
      ['plain', '12.50', '12.50'],
    ])
    const other = await open({ buy_now: '90' })
    expect((await bert.call('BuyNow', { auction_id: other })).outcome).to.include({ price: '90.00' })
    bert.close()
  })

  it('lets sellers, and nobody else, close, cancel and extend', async () => {
    const id = await open({ closes_in: { seconds: 600 } })
    expect((await anna.refusal('CloseAuction', { auction_id: id })).detail.code).to.equal('NOT_SELLER')
    await sam.call('ExtendAuction', { auction_id: id, by: { seconds: 60 } })
    expect((await sam.refusal('ExtendAuction', { auction_id: id, closes_at: { seconds: 5 } })).detail.code).to.equal(
      'EXTENSION_NOT_LATER',
    )
    await sam.call('CancelAuction', { auction_id: id, reason: 'broken' })
    expect((await sam.refusal('CloseAuction', { auction_id: id })).detail.code).to.equal('AUCTION_CANCELLED')
  })

  it('does nothing twice for one key, whatever protocol it comes in', async () => {
    const id = await open()
    const bid = { auction_id: id, amount: '10', idempotency_key: 'key-1' }
    const first = await anna.call('PlaceBid', bid)
    expect(await anna.call('PlaceBid', bid)).to.deep.equal(first)
    const { body } = await gateway.bid(id, 'anna', '10', { bid_id: 'key-1' })
    expect([body.command_id, body.seq]).to.deep.equal([first.outcome.command_id, first.outcome.seq])
    const other = await anna.refusal('PlaceBid', { ...bid, amount: '11' })
    expect(other.detail.code).to.equal('COMMAND_ID_REUSED')
  })

  it('gives the outcome of a bid whose deadline passed while it was on its way to the next call with its key', async () => {
    const { api } = mesh.nodes[0]!
    let decided = () => {}
    const isDecided = new Promise<void>((resolve) => {
      decided = resolve
    })
    const slow: typeof api = {
      ...api,
      bid: async (request) => {
        const result = await api.bid(request)
        await isDecided
        return result
      },
    }
    const other = await TestGateway.start({ api: slow })
    const client = await GrpcClient.of(other.url, { 'x-vendue-user': 'anna' })
    const id = await open()
    const bid = { auction_id: id, amount: '10', idempotency_key: 'key-2' }
    const late = await client.refusal('PlaceBid', bid, { deadline: Date.now() + 500 })
    expect(late.status).to.equal(status.DEADLINE_EXCEEDED)
    decided()
    expect((await client.call('PlaceBid', bid)).outcome).to.include({ leads: true, price: '10.00' })
    expect((await api.history({ auction: id })).bids).to.have.length(1)
    client.close()
    await other.stop()
  })

  it('decides what comes over one connection in the order in which it came', async () => {
    const id = await open()
    const amounts = Array.from({ length: 50 }, (_, i) => String(10 + i))
    const names = ['anna', 'bert']
    const clients = anna
    const answers = await Promise.all(
      amounts.map((amount, i) => {
        const max =
          i === 0 ? { kind: 'BID_KIND_MAX', amount: '500' } : { kind: 'BID_KIND_MAX', amount: String(500 + i) }
        return clients.call('PlaceBid', { auction_id: id, ...max, idempotency_key: `${names[0]}-${amount}` })
      }),
    )
    const seqs = answers.map(({ outcome }) => outcome.seq)
    expect(seqs).to.deep.equal(seqs.toSorted((a, b) => a - b))
  })

  it('streams a log that proves itself', async () => {
    const id = await open()
    await anna.call('PlaceBid', { auction_id: id, amount: '10' })
    const pieces: Uint8Array[] = []
    for await (const { data } of anna.stream('ExportAuction', { auction_id: id })) pieces.push(data)
    let commits = 0
    for await (const { commit } of readExport(Readable.from([Buffer.concat(pieces)]))) {
      expect(commit.auctionId).to.equal(id)
      commits += 1
    }
    expect(commits).to.equal(2)
  })

  it('streams events from any event on, none missing and none twice, and goes on after a cut', async () => {
    const id = await open()
    const stream = anna.stream('StreamEvents', { auction_id: id, from_seq: 1 })
    const heard: number[] = []
    stream.on('error', () => {})
    stream.on('data', ({ seq, type, data }) => {
      heard.push(seq)
      expect(data.fields.type.stringValue).to.equal(type)
    })
    await anna.call('PlaceBid', { auction_id: id, amount: '10' })
    await eventually('two events', () => heard.length === 2)
    stream.cancel()
    await eventually('nobody reads', () => gateway.gateway.services.parts.rpc.streams === 0)
    await gateway.bid(id, 'bert', '11')
    const again = anna.stream('StreamEvents', { auction_id: id, from_seq: 3 })
    again.on('error', () => {})
    again.on('data', ({ seq }) => heard.push(seq))
    await eventually('the third event', () => heard.length === 3)
    again.cancel()
    expect(heard).to.deep.equal([1, 2, 3])
  })

  it('streams the events of all auctions, past a cursor', async () => {
    const stream = anna.stream('StreamEvents', {})
    stream.on('error', () => {})
    const heard: Message[] = []
    stream.on('data', (event) => heard.push(event))
    await eventually('somebody reads', () => gateway.gateway.services.parts.rpc.streams === 1)
    const id = await open()
    await eventually('the opening', () => heard.some(({ auction_id }) => auction_id === id))
    stream.cancel()
    const { cursor } = heard.find(({ auction_id }) => auction_id === id) as Message
    await anna.call('PlaceBid', { auction_id: id, amount: '10' })
    const more = anna.stream('StreamEvents', { cursor })
    more.on('error', () => {})
    const [next] = await once(more, 'data')
    expect([next.auction_id, next.type]).to.deep.equal([id, 'bid_placed'])
    more.cancel()
  })

  describe('refuses what it cannot use:', () => {
    const cases: [string, string, Message, number, Message][] = [
      [
        'an auction that is not there',
        'GetAuction',
        { auction_id: 'auc_nothere' },
        status.NOT_FOUND,
        { code: 'AUCTION_NOT_FOUND' },
      ],
      [
        'no auction',
        'PlaceBid',
        { amount: '10' },
        status.INVALID_ARGUMENT,
        { code: 'INVALID_INPUT', field: 'auction_id' },
      ],
      [
        'a kind that is not known',
        'PlaceBid',
        { auction_id: 'auc_1', amount: '1', kind: 7 },
        status.INVALID_ARGUMENT,
        { field: 'kind' },
      ],
      ['an order that is not known', 'ListAuctions', { order: 9 }, status.INVALID_ARGUMENT, { field: 'order' }],
      [
        'a status that is not known',
        'ListAuctions',
        { statuses: ['sold'] },
        status.INVALID_ARGUMENT,
        { field: 'status[0]' },
      ],
      ['a page that is too large', 'ListAuctions', { page_size: 5_000 }, status.INVALID_ARGUMENT, { field: 'limit' }],
      [
        'terms without a price',
        'OpenAuction',
        { title: 'x' },
        status.INVALID_ARGUMENT,
        { code: 'TERMS_INVALID', field: 'start_price' },
      ],
      [
        'a time outside of time',
        'OpenAuction',
        { ...TERMS, closes_at: { seconds: -5 } },
        status.INVALID_ARGUMENT,
        { field: 'closes_at' },
      ],
      ['a cursor of its own making', 'StreamEvents', { cursor: 'x' }, status.INVALID_ARGUMENT, { field: 'cursor' }],
      ['a seq below nothing', 'StreamEvents', { from_seq: -1 }, status.INVALID_ARGUMENT, {}],
    ]
    for (const [what, method, request, code, detail] of cases) {
      it(what, async () => {
        const id = await open()
        const named =
          'auction_id' in request || method !== 'StreamEvents' || 'cursor' in request ? {} : { auction_id: id }
        const refused =
          method === 'StreamEvents'
            ? await once(anna.stream(method, { ...request, ...named }), 'data').then(
                () => expect.fail('it streams'),
                (error: unknown) => refusedBy(error),
              )
            : await anna.refusal(method, request)
        expect(refused.status).to.equal(code)
        expect(refused.detail).to.include(detail)
        expect(refused.detail.next, 'what to do').to.be.a('string')
      })
    }

    it('bytes that are no message, and messages that are too large or never end', async () => {
      const session = connectHttp2(gateway.url)
      session.on('error', () => {})
      const ask = async (body: Buffer, end = true): Promise<Message> => {
        const stream = session.request({
          ':method': 'POST',
          ':path': '/vendue.v1.AuctionService/PlaceBid',
          'content-type': 'application/grpc',
          te: 'trailers',
        })
        let trailers: Message = {}
        stream.on('trailers', (found) => {
          trailers = found
        })
        stream.on('response', (found) => {
          if ('grpc-status' in found) trailers = found
        })
        stream.on('error', () => {})
        stream.resume()
        if (end) stream.end(body)
        else stream.write(body)
        await once(stream, 'close')
        return trailers
      }
      const framed = (bytes: Buffer, length = bytes.length) => {
        const head = Buffer.alloc(5)
        head.writeUInt32BE(length, 1)
        return Buffer.concat([head, bytes])
      }
      expect(await ask(framed(Buffer.from([0x0a, 0xff]))))
        .to.have.property('grpc-status')
        .that.is.not.equal('0')
      expect(await ask(framed(Buffer.from([0x08, 0x01]))))
        .to.have.property('grpc-status')
        .that.is.not.equal('0')
      expect(await ask(framed(Buffer.alloc(200_000)))).to.include({ 'grpc-status': String(status.RESOURCE_EXHAUSTED) })
      // Only its length says so.
      expect(await ask(framed(Buffer.alloc(10), 2 ** 31), false)).to.include({
        'grpc-status': String(status.RESOURCE_EXHAUSTED),
      })
      session.close()
      expect((await anna.call('ListAuctions', {})).auctions).to.be.an('array')
    })
  })

  it('waits for a message that does not come as long as for any request, and cuts connections that say nothing', async () => {
    const timers = { after: (ms: number, call: () => void) => systemTimers.after(ms / 100, call) }
    const hasty = await TestGateway.start(mesh.nodes[0]!, {}, { timers })
    const session = connectHttp2(hasty.url)
    session.on('error', () => {})
    const stream = session.request({
      ':method': 'POST',
      ':path': '/vendue.v1.AuctionService/PlaceBid',
      'content-type': 'application/grpc',
    })
    stream.on('error', () => {})
    stream.resume()
    stream.write(Buffer.alloc(3))
    await once(stream, 'close')
    const silent = connect(Number(new URL(hasty.url).port), '127.0.0.1')
    silent.on('error', () => {})
    const [said] = await once(silent, 'data')
    expect(String(said)).to.match(/^HTTP\/1\.1 408/)
    silent.destroy()
    session.destroy()
    await hasty.stop()
  })

  it('speaks Connect and gRPC-Web over HTTP/1.1 on the same port, with the same details', async () => {
    const id = await open()
    const call = (body: string, headers: Record<string, string> = {}) =>
      fetch(`${gateway.url}/vendue.v1.AuctionService/PlaceBid`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-vendue-user': 'carl', ...headers },
        body,
      })
    const placed = await call(JSON.stringify({ auctionId: id, amount: '10' }))
    expect([placed.status, ((await placed.json()) as Message).outcome.price]).to.deep.equal([200, '10.00'])
    const low = await call(JSON.stringify({ auctionId: id, amount: '1' }), { 'x-vendue-user': 'dora' })
    const problem = (await low.json()) as Message
    expect(problem).to.include({ code: 'failed_precondition' })
    expect(problem.details[0].debug).to.include({ code: 'BID_TOO_LOW' })
    const wrong = (await (await call('{"auctionId": 5}')).json()) as Message
    expect(wrong.code).to.equal('invalid_argument')
    const web = await fetch(`${gateway.url}/vendue.v1.AuctionService/ListAuctions`, {
      method: 'POST',
      headers: { 'content-type': 'application/grpc-web+proto' },
      body: Buffer.alloc(5),
    })
    expect(web.headers.get('content-type')).to.equal('application/grpc-web+proto')
    expect(Buffer.from(await web.arrayBuffer()).toString('latin1')).to.contain('grpc-status: 0')
  })

  it('tells HTTP/1.1 from HTTP/2 by the first bytes of a connection, however slowly they come', async () => {
    const { hostname, port } = new URL(gateway.url)
    const slowly = async (text: string): Promise<string> => {
      const socket = connect(Number(port), hostname)
      let answer = ''
      socket.on('data', (data) => {
        answer += data.toString('latin1')
      })
      socket.on('error', () => {})
      for (const byte of text) {
        socket.write(byte)
        await new Promise(setImmediate)
      }
      await eventually('an answer', () => answer !== '')
      socket.destroy()
      return answer
    }
    expect(await slowly(`POST /nothing HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)).to.match(/^HTTP\/1\.1 404/)
    expect(await slowly(`PRI /nothing HTTP/1.1\r\nhost: ${hostname}\r\n\r\n`)).to.match(/^HTTP\/1\.1 400/)
    const settings = Buffer.alloc(9)
    settings[3] = 4
    const preface = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${settings.toString('latin1')}`
    // The server's settings come first.
    expect((await slowly(preface)).charCodeAt(3)).to.equal(4)
  })

  it('survives connections over the limit, each of which has sent something and breaks off', async () => {
    const none = () => {}
    const full = await TestGateway.start(
      mesh.nodes[0]!,
      {},
      {
        guard: {
          ...{ bid: none, picture: none, callFrom: none, callBy: none, held: () => 0, refusals: new Map() },
          hold: (what) => ({
            add: () => {
              if (what === 'sockets') throw Object.assign(new Error('too many'), ONE_TOO_MANY)
            },
            become: none,
            release: none,
          }),
        },
      },
    )
    const { hostname, port } = new URL(full.url)
    const tried = Array.from({ length: 50 }, async () => {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => {})
      socket.write('GET / HTTP/1.1\r\n')
      await once(socket, 'connect')
      socket.resetAndDestroy()
    })
    await Promise.all(tried)
    await full.stop()
    expect((await gateway.get('/health')).status).to.equal(200)
  })

  it('refuses other host names and origins, as over HTTP', async () => {
    const ask = async (headers: Record<string, string>) => {
      const session = connectHttp2(gateway.url)
      const stream = session.request({
        ':method': 'POST',
        ':path': '/vendue.v1.AuctionService/ListAuctions',
        ...headers,
      })
      stream.on('error', () => {})
      stream.end('{}')
      const [found] = await once(stream, 'response')
      stream.close(constants.NGHTTP2_CANCEL)
      session.close()
      return found[':status']
    }
    expect(await ask({ ':authority': 'evil.example', 'content-type': 'application/json' })).to.equal(403)
    expect(await ask({ origin: 'https://evil.example', 'content-type': 'application/json' })).to.equal(403)
  })

  it('ends streams with the reason when it stops, and takes no calls any more', async () => {
    const other = await TestGateway.start(mesh.nodes[0]!)
    const client = await GrpcClient.of(other.url, { 'x-vendue-user': 'anna' })
    const stream = client.stream('StreamEvents', {})
    const ended = once(stream, 'end').then(
      () => null,
      (error: unknown) => refusedBy(error),
    )
    await eventually('somebody reads', () => other.gateway.services.parts.rpc.streams === 1)
    stream.resume()
    await other.stop()
    const refused = await ended
    expect(refused?.status).to.equal(status.UNAVAILABLE)
    client.close()
  })

  it('answers the health checks and the reflection of gRPC', async () => {
    const health = await GrpcClient.of(
      gateway.url,
      {},
      { file: 'grpc/health/v1/health.proto', service: 'grpc.health.v1.Health' },
    )
    expect(await health.call('Check', {})).to.deep.equal({ status: 'SERVING' })
    expect(await health.call('Check', { service: 'vendue.v1.AuctionService' })).to.deep.equal({ status: 'SERVING' })
    expect((await health.refusal('Check', { service: 'nobody' })).status).to.equal(status.NOT_FOUND)
    const watch = health.stream('Watch', {})
    watch.on('error', () => {})
    expect(await once(watch, 'data')).to.deep.equal([{ status: 'SERVING' }])
    watch.cancel()
    health.close()
    const reflection = await GrpcClient.of(
      gateway.url,
      {},
      { file: 'grpc/reflection/v1/reflection.proto', service: 'grpc.reflection.v1.ServerReflection' },
    )
    const asked = (reflection.client.ServerReflectionInfo as () => Duplex).call(reflection.client)
    asked.on('error', () => {})
    const ask = async (request: Message): Promise<Message> => {
      asked.write(request)
      const [answer] = await once(asked, 'data')
      return answer
    }
    const { list_services_response } = await ask({ list_services: '' })
    expect(list_services_response.service.map(({ name }: Message) => name)).to.include('vendue.v1.AuctionService')
    const { file_descriptor_response } = await ask({ file_containing_symbol: 'vendue.v1.AuctionService.PlaceBid' })
    const described = file_descriptor_response.file_descriptor_proto.map(String).join()
    expect(described).to.contain('vendue/v1/auctions.proto').and.to.contain('google/protobuf/timestamp.proto')
    expect((await ask({ file_by_filename: 'nothing.proto' })).error_response.error_code).to.equal(status.NOT_FOUND)
    asked.end()
    reflection.close()
  })

  it('describes itself in the files that clients are made from', () => {
    const proto = readFileSync('proto/vendue/v1/auctions.proto', 'utf8')
    for (const [, method] of proto.matchAll(/rpc (\w+)\(/g)) expect(sam.client[method as string]).to.be.a('function')
  })
})

describe('a gateway with accounts over gRPC', () => {
  let mesh: TestMesh
  let gateway: TestGateway
  const held = { connections: 0, downloads: 0 }

  before(async () => {
    mesh = await createTestMesh(1)
    const tooMany = (limit: string) =>
      Object.assign(new Error('too fast'), { code: 'TOO_MANY_REQUESTS', limit, retryAfterSeconds: 7, next: 'wait' })
    gateway = await TestGateway.start(
      mesh.nodes[0]!,
      {},
      {
        authenticator: {
          async authenticate(credentials) {
            const secret = credentials.kind === 'api-key' ? credentials.key : credentials.token
            const [name = '', role = 'bidder'] = secret.split('.')
            if (name === 'bad') throw new CallerError('TOKEN_INVALID', 'the token is not good')
            const scopes = role === 'bidder' ? ['read', 'bid'] : ['read', 'bid', 'sell']
            return { party: { id: `usr_${name}`, name }, roles: [role as 'bidder'], scopes: scopes as ['read'] }
          },
        },
        guard: {
          bid: ({ accountId }) => {
            if (accountId === 'usr_fast') throw tooMany('bids_per_account')
          },
          picture: () => {},
          callFrom: () => {},
          callBy: (accountId) => {
            if (accountId === 'usr_flood') throw tooMany('requests_per_account')
          },
          hold: (what) => {
            let count = 0
            const add = (more: number) => {
              if (what in held) held[what as 'downloads'] += more
              count += more
            }
            return { add, become() {}, release: (some = count) => add(-some) }
          },
          held: () => 0,
          refusals: new Map(),
        },
      },
    )
  })

  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  const as = (token: string) => GrpcClient.of(gateway.url, { authorization: `Bearer ${token}` })

  it('accepts tokens and keys in the metadata, but no names', async () => {
    const named = await GrpcClient.of(gateway.url, { 'x-vendue-user': 'sam' })
    expect(await named.refusal('OpenAuction', TERMS)).to.include({ status: status.UNAUTHENTICATED })
    const anna = await as('anna')
    const refused = await anna.refusal('OpenAuction', TERMS)
    expect([refused.status, refused.detail.code]).to.deep.equal([status.PERMISSION_DENIED, 'FORBIDDEN'])
    const bad = await as('bad')
    expect((await bad.refusal('ListAuctions')).detail.code).to.equal('TOKEN_INVALID')
    const sam = await GrpcClient.of(gateway.url, { 'x-api-key': 'sam.seller' })
    const { auction } = await sam.call('OpenAuction', TERMS)
    expect(auction.seller).to.deep.equal({ id: 'usr_sam', name: 'sam' })
    expect((await anna.call('PlaceBid', { auction_id: auction.id, amount: '10' })).outcome.leads).to.equal(true)
    for (const client of [named, anna, bad, sam]) client.close()
  })

  it('keeps to the limits of HTTP, and says when to call again', async () => {
    const sam = await as('sam.seller')
    const { auction } = await sam.call('OpenAuction', TERMS)
    const [fast, flood] = [await as('fast'), await as('flood')]
    const refused = await fast.refusal('PlaceBid', { auction_id: auction.id, amount: '10' })
    expect(refused.status).to.equal(status.RESOURCE_EXHAUSTED)
    expect(refused.detail).to.include({ code: 'TOO_MANY_REQUESTS', next: 'wait' })
    expect(refused.detail.data.fields.limit.stringValue).to.equal('bids_per_account')
    expect((await flood.refusal('ListAuctions')).detail.code).to.equal('TOO_MANY_REQUESTS')
    for (const client of [sam, fast, flood]) client.close()
  })

  it('counts streams and exports as long as they last, and no longer', async () => {
    const sam = await as('sam.seller')
    const { auction } = await sam.call('OpenAuction', TERMS)
    const stream = sam.stream('StreamEvents', { auction_id: auction.id })
    stream.on('error', () => {})
    await eventually('one is counted', () => held.connections === 1)
    stream.cancel()
    await eventually('none is counted', () => held.connections === 0)
    const log = sam.stream('ExportAuction', { auction_id: auction.id })
    log.resume()
    await once(log, 'end')
    await eventually('no download is counted', () => held.downloads === 0)
    sam.close()
  })
})

describe('the accounts of a gateway over gRPC', () => {
  const dir = makeTempDir()
  const file = { file: 'vendue/v1/accounts.proto', service: 'vendue.v1.AccountService' }
  let mesh: TestMesh
  let gateway: TestGateway
  let accounts: Awaited<ReturnType<typeof openAccounts>>
  let anybody: GrpcClient

  before(async () => {
    mesh = await createTestMesh(1)
    accounts = await openAccounts(dir.path, {}, { logger: silentLogger })
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, accounts.parts)
    anybody = await GrpcClient.of(gateway.url, { authorization: 'Bearer old' }, file)
  })

  after(async () => {
    anybody?.close()
    await gateway?.stop()
    await accounts?.close()
    await mesh?.stop()
    dir.remove()
  })

  const withToken = (token: string, of = file) => GrpcClient.of(gateway.url, { authorization: `Bearer ${token}` }, of)

  it('are created, logged in to, renewed and logged out of, whatever old token is sent', async () => {
    const made = (await anybody.call('Register', { username: 'anna', password: 'correct horse' })).tokens
    expect(made).to.include({ username: 'anna' })
    expect((await anybody.refusal('LogIn', { login: 'anna', password: 'wrong horse' })).status).to.equal(
      status.UNAUTHENTICATED,
    )
    const { tokens } = await anybody.call('LogIn', { login: 'anna', password: 'correct horse' })
    const renewed = (await anybody.call('RefreshTokens', { refresh_token: tokens.refresh_token })).tokens
    expect(renewed.account_id).to.equal(made.account_id)
    const sam = await withToken(renewed.access_token, {
      file: 'vendue/v1/auctions.proto',
      service: 'vendue.v1.AuctionService',
    })
    expect((await sam.call('OpenAuction', TERMS)).auction.seller).to.include({ name: 'anna' })
    await anybody.call('LogOut', { refresh_token: renewed.refresh_token })
    expect((await sam.refusal('OpenAuction', TERMS)).status).to.equal(status.UNAUTHENTICATED)
    const short = await anybody.refusal('Register', { username: 'bert', password: 'short' })
    expect([short.status, short.detail.field]).to.deep.equal([status.INVALID_ARGUMENT, 'password'])
    sam.close()
  })

  it('have keys for programs, which a login alone can make, list and revoke', async () => {
    const { tokens } = await anybody.call('Register', { username: 'carl', password: 'correct horse' })
    const carl = await withToken(tokens.access_token)
    const { api_key, secret } = await carl.call('CreateApiKey', { label: 'robot', scopes: ['read', 'bid'] })
    expect((await carl.call('ListApiKeys')).api_keys.map(({ id }: Message) => id)).to.deep.equal([api_key.id])
    const robot = await GrpcClient.of(gateway.url, { 'x-api-key': secret }, file)
    expect((await robot.refusal('CreateApiKey', { label: 'more', scopes: ['read'] })).detail.code).to.equal('FORBIDDEN')
    expect((await carl.refusal('CreateApiKey', { label: 'x', scopes: ['all'] })).status).to.equal(
      status.INVALID_ARGUMENT,
    )
    await carl.call('RevokeApiKey', { id: api_key.id })
    expect((await robot.refusal('ListApiKeys')).status).to.equal(status.UNAUTHENTICATED)
    const passwords = { current_password: 'correct horse', new_password: 'battery staple' }
    const changed = (await carl.call('ChangePassword', passwords)).tokens
    expect((await carl.refusal('ListApiKeys')).status).to.equal(status.UNAUTHENTICATED)
    expect(changed.account_id).to.equal(tokens.account_id)
    carl.close()
    robot.close()
  })
})

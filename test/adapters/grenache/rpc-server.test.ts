import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { RpcServer } from '../../../src/adapters/grenache/rpc-server.js'
import { ListenError } from '../../../src/adapters/grenache/transport/listen-error.js'
import { NO_AUDIT } from '../../../src/ports/audit/audit.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { testBudgets } from '../../support/test-budgets.js'
import {
  authority,
  bidOf,
  caller,
  callRaw,
  challenge,
  errorOf,
  fakeServices,
  goodbye,
  ping,
  post,
  proof,
  rejection,
  self,
  startServer,
  type TestServer,
  talk,
} from './fakes.js'

const connect = (port: number) => connectTls({ port, host: '127.0.0.1', ...caller.tls.connectOptions() })

const PING = JSON.stringify(['rid-1', 'vendue.ping', { params: ping }])

describe('the RPC server', () => {
  let running: TestServer
  afterEach(() => running.server.stop())

  async function expectAlive(port = running.port) {
    expect((await post(port, PING)).body).to.deep.equal(['rid-1', null, { ok: true, result: { proof, rumors: [] } }])
  }

  describe('answers what is no request of ours', () => {
    beforeEach(async () => {
      running = await startServer({ limits: { maxBodyBytes: 64 * 1024 } })
    })
    afterEach(() => expectAlive())

    const malformed: [string, string | Uint8Array, Record<string, string>?][] = [
      ['an empty body', ''],
      ['text that is not JSON', '{"a":'],
      ['a JSON number', '42'],
      ['a JSON null', 'null'],
      ['an object where a list belongs', '{"rid":"1"}'],
      ['a list that is too short', '["rid"]'],
      ['a list that is too long', '["rid","vendue.ping",{},1]'],
      ['a rid that is not text', '[1,"vendue.ping",{}]'],
      ['a rid that is too long', JSON.stringify(['r'.repeat(129), 'vendue.ping', {}])],
      ['invalid UTF-8', Uint8Array.of(0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d)],
      ['brackets nested 30,000 deep', '['.repeat(30_000)],
      ['20,000 values where 3 belong, nested', `[${'[[[[[1]]]]],'.repeat(4_000)}${'['.repeat(40)}`],
      ['a body that says gzip and is not', '[]', { 'grc-compress': 'gzip' }],
      ['a gzip body cut short', gzipSync(PING).subarray(0, 30), { 'content-encoding': 'gzip' }],
    ]
    for (const [what, body, headers] of malformed) {
      it(`${what}: MALFORMED`, async () => {
        const answer = await post(running.port, body, headers)
        expect(answer.status).to.equal(400)
        expect(errorOf(answer.body).code).to.equal('MALFORMED')
      })
    }

    for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) {
      it(`${method}: METHOD_NOT_ALLOWED`, async () => {
        const answer = await post(running.port, '', {}, { method })
        expect(answer.status).to.equal(405)
        expect(errorOf(answer.body).code).to.equal('METHOD_NOT_ALLOWED')
      })
    }

    it('CONNECT: METHOD_NOT_ALLOWED', async () => {
      expect(await talk(running.port, 'CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n')).to.include('METHOD_NOT_ALLOWED')
    })

    it('an encoding it does not know: UNSUPPORTED_ENCODING', async () => {
      const answer = await post(running.port, PING, { 'content-encoding': 'br' })
      expect(answer.status).to.equal(415)
      expect(errorOf(answer.body).code).to.equal('UNSUPPORTED_ENCODING')
    })

    it("a broken _gr header, in Grenache's own way", async () => {
      const answer = await post(running.port, PING, { _gr: '{broken' })
      expect(answer).to.deep.equal({ status: 500, body: [null, 'ERR_HEADER_PARSE_GR', null] })
    })

    it('bytes that are not HTTP', async () => {
      const garbage = Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) % 256))
      expect(await talk(running.port, garbage)).to.include('"MALFORMED"')
    })

    it('headers without end', async () => {
      const answer = await talk(running.port, `POST / HTTP/1.1\r\nX: ${'x'.repeat(40_000)}`)
      expect(answer).to.match(/^HTTP\/1.1 431 /)
    })

    it('a request over the limit, known from its headers: TOO_LARGE, while it is still being sent', async () => {
      const answer = await talk(
        running.port,
        `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
      )
      expect(answer)
        .to.match(/^HTTP\/1.1 413 /)
        .and.to.include('"TOO_LARGE"')
    })

    it('a request over the limit, known once it is passed: TOO_LARGE', async () => {
      const chunk = `8000\r\n${'x'.repeat(0x8000)}\r\n`
      const answer = await talk(
        running.port,
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
        chunk.repeat(5),
      )
      expect(answer)
        .to.match(/^HTTP\/1.1 413 /)
        .and.to.include('"TOO_LARGE"')
    })

    it('a request that names no known RPC: UNKNOWN_RPC', async () => {
      for (const rpc of ['vendue.nothing', '', '__proto__', 'constructor', 'toString']) {
        expect(errorOf(await callRaw(running.port, rpc, { params: {} })).code).to.equal('UNKNOWN_RPC')
      }
    })
  })

  it('unpacks no gzip bomb past the limit, in either encoding', async () => {
    running = await startServer()
    const member = gzipSync(Buffer.alloc(16 * 1024 * 1024))
    const bomb = Buffer.concat(Array.from({ length: 64 }, () => member))
    const before = process.memoryUsage().rss
    for (const headers of [{ 'grc-compress': 'gzip' }, { 'content-encoding': 'gzip' }]) {
      const answer = await post(running.port, bomb, headers)
      expect(answer.status).to.equal(413)
      expect(errorOf(answer.body).code).to.equal('TOO_LARGE')
    }
    expect(process.memoryUsage().rss - before).to.be.below(200 * 1024 * 1024)
    await expectAlive()
  })

  it('reads gzip and answers in it where the caller asked in Grenache gzip', async () => {
    running = await startServer()
    const asked = await post(running.port, gzipSync(PING), { 'grc-compress': 'gzip' }, { gunzip: true })
    expect(asked.body).to.have.nested.property('[2].ok', true)
    expect(await post(running.port, gzipSync(PING), { 'content-encoding': 'gzip' })).to.have.nested.property(
      'body[2].ok',
      true,
    )
  })

  describe('checks requests before their handlers see them', () => {
    const helloFrom = (more: object) => ({ params: { ...challenge, caller: { ...self, ...more } } })
    const submitOf = (command: object) => ({ params: { commands: [command] } })
    const cases: [string, string, unknown, string | undefined, RegExp][] = [
      ['no payload', 'vendue.ping', null, undefined, /params/],
      ['an unknown key beside params', 'vendue.ping', { params: ping, x: 1 }, undefined, /params/],
      ['no params', 'vendue.ping', {}, undefined, /must be an object/],
      ['a missing field', 'vendue.hello', helloFrom({ name: undefined }), 'caller.name', /must be a text/],
      ['a wrong type', 'vendue.hello', helloFrom({ name: 7 }), 'caller.name', /must be a text/],
      ['an unknown field', 'vendue.hello', helloFrom({ nick: 'x' }), 'caller.nick', /not a field/],
      ['a name too long', 'vendue.hello', helloFrom({ name: 'x'.repeat(65) }), 'caller.name', /at most 64/],
      ['a start past all calendars', 'vendue.hello', helloFrom({ incarnation: 9e15 }), 'caller.incarnation', /at most/],
      ['a name that cannot be seen', 'vendue.hello', helloFrom({ name: '\u200b' }), 'caller.name', /can be seen/],
      ['control characters', 'vendue.hello', helloFrom({ name: 'a\u001b[2J' }), 'caller.name', /control/],
      ['half a character', 'vendue.hello', helloFrom({ name: 'a\ud800' }), 'caller.name', /whole Unicode/],
      ['no address', 'vendue.hello', helloFrom({ address: 'nowhere' }), 'caller.address', /host:port/],
      ['port 70000', 'vendue.hello', helloFrom({ address: '127.0.0.1:70000' }), 'caller.address', /host:port/],
      ['a negative amount', 'vendue.submit', submitOf(bidOf('bid_1', -1)), 'commands[0].amount', /more than 0/],
      ['an unsafe amount', 'vendue.submit', submitOf(bidOf('bid_1', 2 ** 53)), 'commands[0].amount', /at most/],
      ['a fraction', 'vendue.submit', submitOf(bidOf('bid_1', 1.5)), 'commands[0].amount', /whole number/],
      [
        'an unknown command',
        'vendue.submit',
        submitOf({ ...bidOf('bid_1'), type: 'steal' }),
        'commands[0].type',
        /kinds/,
      ],
      [
        '1,001 commands',
        'vendue.submit',
        { params: { commands: Array(1_001).fill(bidOf('bid_1')) } },
        'commands',
        /at most 1,000 entries/,
      ],
      ['no commands', 'vendue.submit', { params: { commands: [] } }, 'commands', /at least 1 entry/],
      [
        'a seq of 0',
        'vendue.pull-commits',
        { params: { wants: [{ auctionId: 'auc_1', fromSeq: 0 }] } },
        'wants[0].fromSeq',
        /must/,
      ],
    ]
    for (const [what, rpc, payload, field, rule] of cases) {
      it(`${what}: INVALID_INPUT that says where and why`, async () => {
        running = await startServer()
        const error = errorOf(await callRaw(running.port, rpc, payload))
        expect(error).to.include({ code: 'INVALID_INPUT' })
        expect(error.field).to.equal(field)
        expect(error.message).to.match(rule)
        expect(error.next).to.be.a('string').and.not.equal('')
      })
    }

    it('keys that reach for prototypes are unknown fields, and change nothing', async () => {
      let seen: object | null = null
      running = await startServer({
        peer: {
          ping: async (given) => {
            seen = given
            return { proof, rumors: [] }
          },
        },
      })
      const params = JSON.stringify(ping).replace('{', '{"__proto__":{"admin":true},')
      const { body } = await post(running.port, `["r","vendue.ping",{"params":${params}}]`)
      expect(errorOf(body)).to.include({ code: 'INVALID_INPUT', field: '__proto__' })
      expect(seen).to.equal(null)
      expect(({} as { admin?: boolean }).admin).to.equal(undefined)
    })
  })

  describe('when a handler fails', () => {
    it('answers INTERNAL with a reference to the log, and shows neither text nor stack', async () => {
      const logged: object[] = []
      running = await startServer({
        logger: { ...silentLogger, error: (fields) => void logged.push(fields) },
        peer: { ping: () => Promise.reject(new Error('the secret reserve is 500')) },
      })
      const answer = await callRaw(running.port, 'vendue.ping', { params: ping })
      const error = errorOf(answer)
      expect(error.code).to.equal('INTERNAL')
      expect(JSON.stringify(answer)).to.not.match(/secret|at .*\.js/)
      expect(logged).to.have.lengthOf(1)
      const { reference } = logged[0] as { reference: string }
      expect(error.message).to.include(reference)
    })

    it('passes a node error on with its code, field and advice', async () => {
      running = await startServer({
        peer: {
          submit: () => Promise.reject(new NodeError('BUSY', 'too much', { field: 'commands', next: 'wait' })),
        },
      })
      const error = errorOf(
        await callRaw(running.port, 'vendue.submit', { params: { commands: [bidOf('bid_1')], mandates: [] } }),
      )
      expect(error).to.deep.equal({ code: 'BUSY', message: 'too much', field: 'commands', next: 'wait' })
    })

    it('survives a handler that throws at once, or something that is no error', async () => {
      running = await startServer({
        peer: {
          ping: () => {
            throw new Error('at once')
          },
          goodbye: () => Promise.reject(undefined),
        },
      })
      expect(errorOf(await callRaw(running.port, 'vendue.ping', { params: ping })).code).to.equal('INTERNAL')
      expect(errorOf(await callRaw(running.port, 'vendue.goodbye', { params: goodbye })).code).to.equal('INTERNAL')
    })
  })

  describe('under load', () => {
    it('answers BUSY past its limit of concurrent requests, and recovers', async () => {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      let waiting = 0
      running = await startServer({
        limits: { maxConcurrent: 2 },
        peer: {
          goodbye: () => {
            waiting += 1
            return held
          },
        },
      })
      const goodbyes = [1, 2].map(() => callRaw(running.port, 'vendue.goodbye', { params: goodbye }))
      await eventually('both are under way', () => waiting === 2)
      const heads = await callRaw(running.port, 'vendue.heads', { params: { prefix: '', afterId: null } })
      expect(errorOf(heads).code).to.equal('BUSY')
      // A busy node must not be taken for a dead one.
      const pong = await callRaw(running.port, 'vendue.ping', { params: ping })
      expect(pong).to.have.property('ok', true)
      release()
      await Promise.all(goodbyes)
      await expectAlive()
    })

    it('answers BUSY when the bodies under way fill its memory, and gives the memory back', async () => {
      running = await startServer({ limits: { maxBufferedBytes: 4_000, maxBodyBytes: 8_000 } })
      for (let i = 0; i < 5; i++) {
        const answer = await post(running.port, `["${'x'.repeat(5_000)}"]`)
        expect(answer.status).to.equal(503)
        expect(errorOf(answer.body).code).to.equal('BUSY')
      }
      for (let i = 0; i < 20; i++) await expectAlive()
    })

    it('refuses the requests of a member that has too many under way, and serves the others', async () => {
      let release = () => {}
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      let waiting = 0
      running = await startServer({
        budgets: { requests: 3 },
        peer: {
          goodbye: () => {
            waiting += 1
            return held
          },
        },
      })
      const goodbyes = [1, 2, 3].map(() => callRaw(running.port, 'vendue.goodbye', { params: goodbye }))
      await eventually('all are under way', () => waiting === 3)
      const refused = await post(running.port, `["r","vendue.heads",{"params":"${'x'.repeat(100_000)}"}]`)
      expect(refused.status).to.equal(503)
      expect(errorOf(refused.body).code).to.equal('BUSY')
      const { tls } = await authority.member()
      const heads = { params: { prefix: '', afterId: null } }
      expect(await callRaw(running.port, 'vendue.heads', heads, tls)).to.have.property('ok', true)
      release()
      await Promise.all(goodbyes)
      await expectAlive()
    })

    it('holds no more of the requests of a member than its budget, and serves the others', async () => {
      running = await startServer({ budgets: { 'request-bytes': 300_000 } })
      const body = `["r","vendue.heads",{"params":"${'x'.repeat(200_000)}"}]`
      const head = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`
      const sockets = [connect(running.port), connect(running.port)]
      for (const socket of sockets) {
        socket.on('error', () => {})
        // All but the end: what has come stays.
        socket.write(head + body.slice(0, -1))
      }
      await eventually('there is no room for more of its own', async () => {
        const answer = await post(running.port, body).catch(() => null)
        return answer?.status === 503 && errorOf(answer.body).code === 'BUSY'
      })
      const { tls } = await authority.member()
      const heads = { params: { prefix: '', afterId: null } }
      expect(await callRaw(running.port, 'vendue.heads', heads, tls)).to.have.property('ok', true)
      for (const socket of sockets) socket.destroy()
      await eventually('it has its budget again', () => expectAlive().then(() => true))
    })

    it('counts answers that a member does not take, until its connection ends', async () => {
      const heads = Array.from({ length: 5_000 }, (_, i) => {
        return { auctionId: `auc_${String(i).padStart(26, '0')}`, seq: 1, hash: 'a'.repeat(64) }
      })
      let served = 0
      running = await startServer({
        budgets: { 'request-bytes': 8 * 1_024 * 1_024 },
        peer: {
          heads: async () => {
            served += 1
            return { heads, next: null }
          },
        },
      })
      const sockets = Array.from({ length: 30 }, () => connect(running.port))
      for (const socket of sockets) socket.on('error', () => {}).pause()
      const body = '["r","vendue.heads",{"params":{"prefix":"","afterId":null}}]'
      const request = `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`
      for (const socket of sockets) socket.write(request.repeat(20))
      await eventually('it is refused', async () => {
        const answer = await post(running.port, '["r","vendue.heads",{"params":{"prefix":"","afterId":null}}]')
        return answer.status === 503
      })
      expect(served).to.be.below(30 * 20)
      for (const socket of sockets) socket.destroy()
      await eventually('it has its budget again', () => expectAlive().then(() => true))
    })

    it('takes no more connections than its limit', async () => {
      running = await startServer({ limits: { maxConnections: 2 } })
      const first = [connectTcp(running.port, '127.0.0.1'), connectTcp(running.port, '127.0.0.1')]
      await Promise.all(first.map((socket) => once(socket, 'connect')))
      const third = connectTcp(running.port, '127.0.0.1')
      await once(third, 'close')
      for (const socket of first) socket.destroy()
      await eventually('there is room again', () => expectAlive().then(() => true))
    })
  })

  describe('does not wait for ever', () => {
    beforeEach(async () => {
      running = await startServer({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600 } })
    })
    afterEach(() => expectAlive())

    it('for a connection that says nothing', async () => {
      expect(await talk(running.port)).to.match(/^HTTP\/1.1 408 /)
    })

    it('for headers that never end', async () => {
      expect(await talk(running.port, 'POST / HTTP/1.1\r\nHost: a\r\n')).to.match(/^HTTP\/1.1 408 /)
    })

    it('for a body that comes byte by byte', async () => {
      const socket = connect(running.port)
      const received: Buffer[] = []
      socket.on('data', (chunk) => received.push(chunk))
      socket.on('error', () => {})
      socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n')
      const drip = setInterval(() => socket.write('['), 50)
      await once(socket, 'close')
      clearInterval(drip)
      expect(Buffer.concat(received).toString())
        .to.match(/^HTTP\/1.1 408 /)
        .and.to.include('REQUEST_TIMEOUT')
    })
  })

  it('forgets a caller that leaves in the middle of its request', async () => {
    running = await startServer({ limits: { maxBufferedBytes: 4_000, maxBodyBytes: 8_000 } })
    const statusOf = async () => (await post(running.port, `["r","vendue.ping",{"x":"${'x'.repeat(500)}"}]`)).status
    expect(await statusOf(), 'room for a small request').to.not.equal(503)
    const leaving = [1, 2, 3, 4].map(async () => {
      const tcp = connectTcp(running.port, '127.0.0.1')
      const socket = connectTls({ socket: tcp, ...caller.tls.connectOptions() })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
      socket.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n["${'x'.repeat(950)}`)
      return tcp
    })
    const sockets = await Promise.all(leaving)
    await eventually('their bodies fill the memory', async () => (await statusOf()) === 503)
    for (const tcp of sockets) tcp.resetAndDestroy()
    await eventually('the memory is given back', async () => (await statusOf()) !== 503)
    await expectAlive()
  })

  describe('starts and stops', () => {
    it('says where it listens, and listens only there', async () => {
      running = await startServer()
      expect(running.port).to.be.greaterThan(0)
      expect(await running.server.start()).to.deep.equal({ host: '127.0.0.1', port: running.port })
      const elsewhere = connectTcp(running.port, '127.0.0.2')
      const [error] = (await once(elsewhere, 'error')) as [Error & { code: string }]
      expect(error.code).to.equal('ECONNREFUSED')
    })

    it('refuses a port in use with what to do, and starts once it is free', async () => {
      running = await startServer()
      const second = new RpcServer(
        { ...fakeServices(), logger: silentLogger, audit: NO_AUDIT, budgets: testBudgets() },
        { host: '127.0.0.1', port: running.port, operatorToken: 't' },
      )
      const error = await rejection(second.start(), ListenError)
      expect(error).to.include({ code: 'PORT_IN_USE', port: running.port })
      expect(error.message).to.include(running.address).and.to.include('choose another port')
      await running.server.stop()
      expect((await second.start()).port).to.equal(running.port)
      await second.stop()
    })

    it('refuses an address that is not its own', async () => {
      running = await startServer()
      const lost = new RpcServer(
        { ...fakeServices(), logger: silentLogger, audit: NO_AUDIT, budgets: testBudgets() },
        { host: '203.0.113.7', port: 0, operatorToken: 't' },
      )
      expect((await rejection(lost.start(), ListenError)).code).to.equal('ADDRESS_NOT_AVAILABLE')
      await lost.stop()
    })

    it('lets a request under way finish, and takes no other', async () => {
      let release = () => {}
      let waiting = false
      running = await startServer({
        limits: { drainMs: 5_000 },
        peer: {
          goodbye: () => {
            waiting = true
            return new Promise((resolve) => {
              release = resolve
            })
          },
        },
      })
      const leaving = callRaw(running.port, 'vendue.goodbye', { params: goodbye })
      await eventually('it is under way', () => waiting)
      const stopped = running.server.stop()
      const late = connectTcp(running.port, '127.0.0.1')
      expect(((await once(late, 'error')) as [Error & { code: string }])[0].code).to.equal('ECONNREFUSED')
      release()
      expect(await leaving).to.deep.equal({ ok: true, result: null })
      await stopped
    })

    it('cuts what is not done by its deadline, and idle connections at once', async () => {
      running = await startServer({ peer: { goodbye: () => new Promise(() => {}) } })
      const idle = connect(running.port)
      idle.on('error', () => {})
      await once(idle, 'secureConnect')
      const hanging = callRaw(running.port, 'vendue.goodbye', { params: goodbye }).then(
        () => 'answered',
        () => 'cut',
      )
      await expectAlive()
      const before = performance.now()
      await Promise.all([running.server.stop(), running.server.stop()])
      expect(performance.now() - before).to.be.below(3_000)
      expect(await hanging).to.equal('cut')
    })
  })
})

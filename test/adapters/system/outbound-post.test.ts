import type { lookup } from 'node:dns'
import { createServer, type Server, type Socket } from 'node:net'
import { expect } from 'chai'
import { networkOf } from '../../../src/adapters/system/ip-address.js'
import { OutboundPost, type OutboundPostOptions } from '../../../src/adapters/system/outbound-post.js'
import { Receiver } from '../../support/receiver.js'

const NOW = Date.UTC(2026, 10, 28, 12)
const NEVER = new AbortController().signal
const LOOPBACK = [networkOf('127.0.0.1')].filter((network) => network !== null)

function posting(options: Partial<OutboundPostOptions> = {}) {
  const post = new OutboundPost(
    { clock: { now: () => NOW } },
    { allowedNetworks: LOOPBACK, timeoutMs: 20_000, ...options },
  )
  return (url: string, signal = NEVER) => post.send({ url, headers: { 'x-test': '1' }, body: 'hello' }, signal)
}

/** Stands for DNS: each look-up takes the next answer, and the last one stays. */
function dnsAnswering(...answers: string[][]) {
  let asked = 0
  const resolve = ((_host: string, _options: object, done: (error: null, found: object[]) => void) => {
    const found = answers[Math.min(asked, answers.length - 1)] as string[]
    asked += 1
    done(
      null,
      found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }) as unknown as typeof lookup
  return { resolve, asked: () => asked }
}

describe('OutboundPost', () => {
  const receiver = new Receiver()
  const sockets = new Set<Socket>()
  let raw: Server
  let talk: (socket: Socket) => void = () => {}

  before(async () => {
    await receiver.start()
    raw = createServer((socket) => {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.once('data', () => talk(socket))
    })
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => raw.close(resolve))
    await receiver.stop()
  })
  beforeEach(() => {
    receiver.answer = (response) => response.writeHead(204).end()
  })
  const rawUrl = () => {
    const address = raw.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
  }

  it('sends what it is given, and returns the status and the beginning of the answer', async () => {
    receiver.answer = (response) => response.writeHead(400).end('no\nthank you')
    const answer = await posting()(receiver.url())
    expect(answer).to.deep.equal({ ok: true, status: 400, retryAfterMs: null, text: 'no?thank you' })
    expect(receiver.last.body.toString()).to.equal('hello')
    expect(receiver.last.headers).to.include({ 'x-test': '1', 'content-length': '5' })
  })

  describe('calls no address that is not public:', () => {
    const hosts = [
      ...['127.0.0.1', '127.1', '0x7f000001', '2130706433', '0.0.0.0', '10.1.2.3', '172.16.0.1', '192.168.1.1'],
      ...['169.254.169.254', '100.64.0.1', '224.0.0.1', '255.255.255.255', '240.0.0.1', '198.18.0.1', '192.0.2.1'],
      ...['[::1]', '[::]', '[::ffff:127.0.0.1]', '[::ffff:7f00:1]', '[::127.0.0.1]', '[fe80::1]', '[fc00::1]'],
      ...['[fec0::1]', '[ff02::1]', '[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[2001:0:1::1]', 'localhost'],
    ]
    for (const host of hosts)
      it(host, async () => {
        const before = receiver.connections
        const answer = await posting({ allowedNetworks: [] })(`https://${host}:${receiver.port}/`)
        expect(answer).to.deep.include({ ok: false, mayChange: false })
        expect(receiver.connections).to.equal(before)
      })
  })

  it('checks the very addresses that it connects to: a name that changes between two look-ups does not help', async () => {
    const other = new Receiver({ host: '127.0.0.2' })
    await other.start(receiver.port)
    try {
      const allowedNetworks = [networkOf('127.0.0.2')].filter((network) => network !== null)
      const dns = dnsAnswering(['127.0.0.2'], ['127.0.0.1'], ['10.0.0.1', '127.0.0.1'], ['127.0.0.1', '127.0.0.2'])
      const send = posting({ allowedNetworks, resolve: dns.resolve })
      const before = receiver.connections
      const url = `http://rebinding.example:${receiver.port}/`
      expect(await send(url)).to.include({ ok: true, status: 204 })
      expect(await send(url)).to.include({ ok: false, mayChange: false })
      expect(await send(url)).to.include({ ok: false, mayChange: false })
      expect(await send(url)).to.include({ ok: true, status: 204 })
      expect(dns.asked()).to.equal(4)
      expect(other.received).to.have.length(2)
      expect(receiver.connections).to.equal(before)
    } finally {
      await other.stop()
    }
  })

  it('calls without TLS only what is allowed by its network', async () => {
    const dns = dnsAnswering(['93.184.216.34'])
    const answer = await posting({ resolve: dns.resolve })('http://public.example/')
    expect(answer).to.deep.include({ ok: false, mayChange: false })
    expect(answer).to.have.property('why').that.contains('without TLS')
  })

  for (const url of ['', 'example.com', 'ftp://example.com/', 'file:///etc/passwd', 'unix:/tmp/x'])
    it(`refuses ${url || 'no URL at all'}`, async () => {
      expect(await posting()(url)).to.deep.include({ ok: false, mayChange: false })
    })

  it('follows no redirect', async () => {
    const before = receiver.received.length
    receiver.answer = (response) => response.writeHead(307, { location: receiver.url() }).end()
    expect(await posting()(receiver.url())).to.include({ ok: true, status: 307 })
    expect(receiver.received.length).to.equal(before + 1)
  })

  it('reads a small part of an answer without an end, and takes its status', async () => {
    let written = 0
    let closed: Promise<unknown> = Promise.resolve()
    receiver.answer = (response) => {
      closed = new Promise((resolve) => response.once('close', resolve))
      response.writeHead(200)
      const chunk = Buffer.alloc(65_536, 'x')
      const more = () => {
        do written += chunk.length
        while (!response.destroyed && response.write(chunk))
      }
      response.on('drain', more)
      more()
    }
    const answer = await posting()(receiver.url())
    expect(answer).to.include({ ok: true, status: 200, text: 'x'.repeat(200) })
    await closed
    // What the sockets of the system hold at both ends; the rest has never been sent.
    expect(written).to.be.lessThan(32 * 1024 * 1024)
  })

  it('takes the status of an answer whose body never ends, once the time is over', async () => {
    receiver.answer = (response) => {
      response.writeHead(200)
      response.write('a')
    }
    expect(await posting({ timeoutMs: 300 })(receiver.url())).to.include({ ok: true, status: 200, text: 'a' })
  })

  it('gives up on one that sends its head byte by byte', async () => {
    talk = (socket) => {
      const head = 'HTTP/1.1 200 OK\r\nx-slow: '
      let sent = 0
      const timer = setInterval(() => socket.write(head[sent++] ?? 'a'), 10)
      socket.once('close', () => clearInterval(timer))
    }
    const answer = await posting({ timeoutMs: 500 })(rawUrl())
    expect(answer).to.deep.equal({ ok: false, mayChange: true, why: 'no answer within 500 ms' })
  })

  const WORDS: Record<string, (socket: Socket) => void> = {
    'closes without an answer': (socket) => socket.end(),
    'resets the connection': (socket) => socket.resetAndDestroy(),
    'speaks another protocol': (socket) => socket.end('220 mail.example ESMTP\r\n'),
    'sends a head without an end': (socket) => {
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write(`x-more: ${'a'.repeat(8_000)}\r\n`));
      }
      socket.on('drain', more)
      more()
    },
    'changes to a protocol that nobody asked for': (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
  }
  for (const [what, word] of Object.entries(WORDS))
    it(`returns that it can be tried again for one that ${what}`, async () => {
      talk = word
      const answer = await posting()(rawUrl())
      expect(answer).to.include({ ok: false, mayChange: true })
      expect(answer)
        .to.have.property('why')
        .that.matches(/^no connection: /)
    })

  it('ends when it is stopped', async () => {
    talk = () => stop.abort()
    const stop = new AbortController()
    const answer = await posting()(rawUrl(), stop.signal)
    expect(answer).to.deep.equal({ ok: false, mayChange: true, why: 'stopped before there was an answer' })
  })

  it('can be tried again where nobody listens, and where the name is not found', async () => {
    const free = new Receiver()
    await free.start()
    const url = free.url()
    await free.stop()
    expect(await posting()(url)).to.include({ ok: false, mayChange: true, why: 'no connection: ECONNREFUSED' })
    const resolve = ((_host: string, _options: object, done: (error: Error) => void) =>
      done(Object.assign(new Error('not found'), { code: 'ENOTFOUND' }))) as unknown as typeof lookup
    const answer = await posting({ resolve })('https://nowhere.example/')
    expect(answer).to.include({ ok: false, mayChange: true, why: 'no connection: ENOTFOUND' })
  })

  const WAITS: Record<string, number | null> = {
    '120': 120_000,
    'Sat, 28 Nov 2026 12:01:30 GMT': 90_000,
    'Sat, 28 Nov 2026 11:00:00 GMT': 0,
    '99999999999999999999': 86_400_000,
    soon: null,
  }
  for (const [text, ms] of Object.entries(WAITS))
    it(`reads Retry-After: ${text}`, async () => {
      receiver.answer = (response) => response.writeHead(503, { 'retry-after': text }).end()
      expect(await posting()(receiver.url())).to.include({ status: 503, retryAfterMs: ms })
    })
})

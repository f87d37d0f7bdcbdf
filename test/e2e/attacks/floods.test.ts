import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { DEFAULT_SERVER_LIMITS } from '../../../src/adapters/grenache/rpc-server.js'
import { SENDER_BUDGETS } from '../../../src/application/budgets/sender-budgets.js'
import { AttackedMesh, type Insider, openAuction, portOf, say } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'

/** The beginning of a hello of TLS that never ends. */
const HALF_A_HELLO = Buffer.from('160301020001', 'hex')
const FLOOD_MS = 3_000
const LEAST_BIDS = 24
const MAX_CONNECTIONS_PER_MEMBER = SENDER_BUDGETS.connections.limit

describe('floods of strangers at the port of a real node', () => {
  let mesh: AttackedMesh
  let guest: Insider
  let port: number
  const sockets = new Set<Socket>()
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
    guest = await mesh.join('guest')
    port = await portOf(mesh.node(0))
  })
  afterEach(() => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  })
  after(() => mesh.stop())

  function hold(socket: Socket): Socket {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => {})
    return socket
  }

  /**
   * Bids of ben's at anna's auction, one after the other, and calls over new connections of a member, all the while.
   * Each has its own deadline: who is kept waiting fails.
   */
  async function membersGoOn(): Promise<void> {
    const auction = await openAuction(mesh.node(0), { increment: '0.01' })
    await eventually('ben knows it', () => mesh.node(1).api.show({ auction }))
    const endsAt = performance.now() + FLOOD_MS
    for (let i = 0; i < LEAST_BIDS || performance.now() < endsAt; i++) {
      const { outcome } = await mesh.node(1).api.bid({
        auction,
        commandId: `bid_${auction.slice(4, 12)}${String(i).padStart(6, '0')}`,
        kind: 'max',
        amount: String(20 + i),
      })
      expect(outcome.status).to.equal('accepted')
      if (i % 4 === 0) {
        const heads = () => say(mesh.node(0), 'vendue.heads', { prefix: '', afterId: null }, guest.tls)
        // On a busy machine a handshake may take so long that its connection has to make room: whoever dials tries
        // again.
        expect(await heads().catch(heads)).to.equal('ok')
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async function goesOnUnder(attack: () => void, everyMs: number): Promise<void> {
    const timer = setInterval(attack, everyMs)
    try {
      await membersGoOn()
    } finally {
      clearInterval(timer)
    }
  }

  const dropped = async () => (await mesh.node(0).api.status()).handshakes?.dropped ?? 0

  it('of handshakes that never end keep no member waiting', async () => {
    const before = await dropped()
    await goesOnUnder(() => {
      for (let i = 0; i < 50 && sockets.size < 1_500; i++)
        hold(
          connect(port, '127.0.0.1', function (this: Socket) {
            if (i % 2 === 0) this.write(HALF_A_HELLO)
          } as () => void),
        )
    }, 20)
    expect(await dropped()).to.be.above(before + DEFAULT_SERVER_LIMITS.maxStrangers)
  })

  it('of handshakes that do end, with nobody behind them, keep no member waiting', async () => {
    await goesOnUnder(() => {
      for (let i = 0; i < 6; i++) hold(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))
    }, 20)
    expect(sockets.size).to.be.below(DEFAULT_SERVER_LIMITS.maxStrangers + 100)
  })

  it('of large bodies that never end take nothing from members', async () => {
    const part = Buffer.alloc(500 * 1024, ' ')
    await goesOnUnder(() => {
      if (sockets.size > 100) return
      const socket = hold(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))
      socket.write('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n')
      socket.write(part)
    }, 20)
  })

  it('of joins with made-up secrets, some packed to a thousand times their size, keep no member waiting', async () => {
    const bomb = gzipSync(Buffer.alloc(1024 * 1024 - 1, ' '))
    const join = JSON.stringify(['r', 'vendue.join', { params: { secret: 'A'.repeat(43), publicKey: 'A'.repeat(43) } }])
    await goesOnUnder(() => {
      for (let i = 0; i < 4; i++) {
        const socket = hold(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }))
        const [encoding, body] = i === 0 ? ['gzip', bomb] : ['identity', Buffer.from(join)]
        socket.write(
          `POST / HTTP/1.1\r\nhost: a\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${body.length}\r\n\r\n`,
        )
        socket.end(body)
      }
    }, 20)
  })

  it('leave it with room: strangers are few, a member has its share, and both end with the flood', async () => {
    const { maxStrangers, maxConnections } = DEFAULT_SERVER_LIMITS
    expect(maxStrangers * 4).to.be.at.most(maxConnections)
    const member = Array.from({ length: MAX_CONNECTIONS_PER_MEMBER + 20 }, () =>
      hold(connectTls({ port, host: '127.0.0.1', ...guest.tls.connectOptions() })),
    )
    await eventually('the share is used up', () => {
      return member.filter(({ destroyed }) => destroyed).length >= 20
    })
    expect(member.filter(({ destroyed }) => !destroyed)).to.have.lengthOf(MAX_CONNECTIONS_PER_MEMBER)
    for (const socket of sockets) socket.destroy()
    await eventually('it has its share again', async () => {
      return (await say(mesh.node(0), 'vendue.heads', { prefix: '', afterId: null }, guest.tls)) === 'ok'
    })
  })
})

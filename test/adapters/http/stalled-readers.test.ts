import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { expect } from 'chai'
import { StalledReaders } from '../../../src/adapters/http/stalled-readers.js'
import { eventually } from '../../support/eventually.js'
import { ManualTime } from '../../support/manual-time.js'

const CHUNK = Buffer.alloc(64 * 1024)
/** Between two looks. */
const LOOK_MS = 15_000

describe('readers of a gateway', () => {
  let server: Server
  let time: ManualTime
  let readers: StalledReaders
  let cut: number
  const sockets = new Set<Socket>()
  const clients: IncomingMessage[] = []

  beforeEach(async () => {
    time = new ManualTime()
    cut = 0
    // Without an end: it goes on for as long as somebody reads.
    server = createServer((_, response) => {
      const endless = Readable.from(
        (function* () {
          for (;;) yield CHUNK
        })(),
      )
      pipeline(endless, response).catch(() => {})
    })
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    readers = new StalledReaders({ timers: time, sockets, cut: () => (cut += 1) })
    readers.start()
  })

  afterEach(async () => {
    readers.stop()
    for (const client of clients.splice(0)) client.destroy()
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })

  /** Asked, and stopped reading: what is sent waits here and in the kernel. */
  async function reader(): Promise<IncomingMessage> {
    const { port } = server.address() as AddressInfo
    const sent = request({ port, host: '127.0.0.1', agent: false }).end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.on('error', () => {})
    response.pause()
    clients.push(response)
    return response
  }

  const waiting = () => [...sockets].filter(({ writableLength }) => writableLength > 0).length

  it('are cut off who take nothing of a download, and let it end', async () => {
    await reader()
    await eventually('something waits', () => waiting() === 1)
    for (let look = 0; look < 3; look++) {
      await eventually('the kernel is full', () => waiting() === 1)
      expect(sockets.size).to.equal(1)
      await time.advance(LOOK_MS)
    }
    await eventually('it is cut off', () => sockets.size === 0)
    expect(cut).to.equal(1)
  })

  it('go on who take some of it, however slowly, and who have nothing to take', async () => {
    const slow = await reader()
    await eventually('something waits', () => waiting() === 1)
    const written = () => [...sockets].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0)
    for (let look = 0; look < 6; look++) {
      const before = written()
      slow.resume()
      await eventually('some was taken', () => written() > before + 4 * CHUNK.length)
      slow.pause()
      await time.advance(LOOK_MS)
    }
    expect([sockets.size, cut]).to.deep.equal([1, 0])
    slow.resume()
    const idle = {
      writableLength: 0,
      bytesWritten: 7,
      destroy: () => expect.fail('cut off'),
    } as unknown as Socket
    sockets.add(idle)
    await time.advance(6 * LOOK_MS)
    sockets.delete(idle)
  })
})

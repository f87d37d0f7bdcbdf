import { once } from 'node:events'
import { connect } from 'node:net'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { ManualTime } from '../support/manual-time.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

const LOOK_MS = 15_000
/** More than the kernel takes for a reader who does not read. */
const DOWNLOADS = 30

describe('a gateway', function () {
  this.timeout(30_000)
  let mesh: TestMesh
  let gateway: TestGateway
  const time = new ManualTime()

  before(async () => {
    mesh = await createTestMesh(1)
    gateway = await TestGateway.start(mesh.nodes[0]!, {}, { timers: time })
  })
  after(async () => {
    await gateway?.stop()
    await mesh?.stop()
  })

  it('cuts off whoever asks for downloads and does not read them, and counts it', async () => {
    const { hostname, port } = new URL(gateway.url)
    const socket = connect(Number(port), hostname)
    socket.on('error', () => {})
    await once(socket, 'connect')
    socket.pause()
    const path = '/docs/static/swagger-ui-bundle.js'
    socket.write(`GET ${path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\n\r\n`.repeat(DOWNLOADS))
    const cut = async () => {
      const { body } = await gateway.get('/metrics')
      return Number(/vendue_slow_readers_total\{path="http"\} (\d+)/.exec(body)?.[1] ?? 0)
    }
    expect(await cut()).to.equal(0)
    await eventually('it is cut off', async () => {
      await time.advance(LOOK_MS)
      return (await cut()) === 1
    })
    socket.destroy()
  })
})

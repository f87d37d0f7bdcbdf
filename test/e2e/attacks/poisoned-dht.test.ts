import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect } from 'chai'
import { AttackedMesh, FREE_PORTS, infoOf } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { NodeProcess } from '../../support/node-process.js'
import { TestAuthority } from '../../support/test-authority.js'

const FORGED = 300
const LIVE = 40

describe('a DHT full of forged announcements', () => {
  let mesh: AttackedMesh
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
  })
  after(() => mesh.stop())

  it('keeps a member from nobody: neither silent ports, nor strangers with TLS, nor dead addresses', async () => {
    const { meshId } = mesh.stolenAuthority()
    const forged = await (await TestAuthority.create()).member({ meshId })
    const heard: Buffer[] = []
    let dialled = 0
    const note = (socket: Socket) => {
      dialled += 1
      socket.on('error', () => {})
    }
    const ports: number[] = []
    for (let i = 0; i < LIVE; i++) {
      const server =
        i % 2 === 0
          ? createServer(note)
          : createTlsServer({ cert: forged.certificate, key: forged.privateKey }, (socket) => {
              socket.on('error', () => {})
              socket.on('data', (bytes: Buffer) => heard.push(bytes))
            })
              .on('connection', note)
              .on('tlsClientError', () => {})
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const held = new Set<Socket>()
      server.on('connection', (socket: Socket) => held.add(socket))
      mesh.later(() => {
        for (const socket of held) socket.destroy()
        server.close()
      })
      ports.push((server.address() as AddressInfo).port)
    }
    for (let port = 1; ports.length < FORGED; port++) ports.push(port)

    const status = await mesh.node(0).api.status()
    const announce = (port: number) =>
      fetch(`${status.grapeUrl}/announce`, {
        method: 'POST',
        body: JSON.stringify({ rid: String(port), data: ['vendue:test:v1', port] }),
      }).then((answer) => answer.text())
    for (const port of ports) await announce(port)

    // From another home: nothing but the DHT tells it where the others are.
    const { dataDir } = await mesh.join('carla')
    const { dhtAddress } = await infoOf(mesh.node(0))
    const carla = await NodeProcess.start({
      home: mesh.elsewhere,
      name: 'carla',
      logLevel: 'debug',
      args: [...FREE_PORTS, '--bootstrap', dhtAddress ?? ''],
    })
    mesh.later(() => carla.end())
    expect(carla.dataDir).to.equal(dataDir)
    const again = setInterval(() => void Promise.all(ports.slice(0, LIVE).map(announce)).catch(() => {}), 2_000)
    mesh.later(() => clearInterval(again))
    await eventually(
      'they see each other',
      async () => (await carla.api.peers()).some(({ name, state }) => name === 'anna' && state === 'alive'),
      45_000,
    )
    await eventually('the forged ones are dialled as well, else this would prove nothing', () => dialled > 0, 20_000)
    expect(Buffer.concat(heard), 'not a byte is sent to who is no member').to.have.lengthOf(0)
    await eventually('ben is seen too', async () => (await carla.api.peers()).length >= 2)
    const names = (await carla.api.peers()).map(({ name }) => name).sort()
    expect(names, 'nobody else is taken for a peer').to.deep.equal(['anna', 'ben'])
  })
})

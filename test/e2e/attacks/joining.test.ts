import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect } from 'chai'
import { X509CertificateIssuer } from '../../../src/adapters/system/certificate-issuer.js'
import { joinText, parseToken } from '../../../src/application/members/mesh-token.js'
import { AttackedMesh, infoOf, say } from '../../support/attacked-mesh.js'
import { vendue, vendueJson } from '../../support/node-process.js'
import { TestAuthority, type TestMember } from '../../support/test-authority.js'

describe('joining a mesh under attack', () => {
  let mesh: AttackedMesh
  before(async () => {
    mesh = await AttackedMesh.start(['anna'])
  })
  after(() => mesh.stop())

  const joinAs = (name: string, token: string) =>
    vendue(mesh.elsewhere, ['mesh', 'join', token, '--name', name, '--json'])

  async function listening(server: ReturnType<typeof createServer>): Promise<string> {
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    mesh.later(() => server.close())
    return `127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  it('sends nothing to a man in the middle who ends TLS with an authority of his own', async () => {
    const real = mesh.stolenAuthority()
    const own = await TestAuthority.create()
    const forged = await own.member({ meshId: real.meshId })
    const shown: [string, TestMember, string][] = [
      ['his own authority', forged, own.ca.certificate],
      ["the mesh's authority, copied", forged, real.ca.certificate],
      ['nothing beside it', forged, ''],
      ['a certificate for another key', { ...(await real.member({ nodeId: forged.nodeId })) }, real.ca.certificate],
    ]
    for (const [what, { certificate, privateKey }, ca] of shown) {
      const heard: Buffer[] = []
      let dialled = 0
      const middle = createTlsServer(
        { cert: `${certificate.trim()}\n${ca}`, key: privateKey, minVersion: 'TLSv1.3' },
        (socket) => {
          socket.on('error', () => {})
          socket.on('data', (bytes: Buffer) => heard.push(bytes))
        },
      )
      middle.on('tlsClientError', () => {})
      middle.on('connection', () => {
        dialled += 1
      })
      const token = await mesh.token({ addresses: [await listening(middle)] })
      const run = await joinAs('victim', token)
      expect(run.code, `${what}: ${run.stdout}${run.stderr}`).to.not.equal(0)
      expect(run.stdout + run.stderr, what).to.match(/CA_MISMATCH|NOT_A_MEMBER/)
      expect(dialled, `${what}: he is dialled`).to.be.above(0)
      expect(Buffer.concat(heard), `${what}: not a byte of the request`).to.have.lengthOf(0)
    }
  })

  it('works through somebody who passes on bytes, and shows him neither the secret nor who joins', async () => {
    const { address } = await infoOf(mesh.node(0))
    const port = Number(address.split(':').at(-1))
    const passed: Buffer[] = []
    const relay = createServer((near) => {
      const far = connect(port, '127.0.0.1')
      for (const socket of [near, far]) {
        socket.on('error', () => {})
        socket.on('data', (bytes: Buffer) => passed.push(bytes))
      }
      near.pipe(far).pipe(near)
    })
    const token = await mesh.token({ addresses: [await listening(relay)] })
    const run = await joinAs('carla', token)
    expect(run.code, run.stderr).to.equal(0)
    const { node_id: nodeId } = JSON.parse(run.stdout) as { node_id: string }
    const bytes = Buffer.concat(passed)
    expect(bytes.length).to.be.above(1_000)
    for (const secret of [parseToken(token).secret, nodeId, 'carla', 'vendue.join'])
      expect(bytes.includes(secret), secret).to.equal(false)
    const members = await vendueJson<{ members: { name: string }[] }>(mesh.home, ['mesh', 'members'])
    expect(members.members.map(({ name }) => name)).to.include('carla')
  })

  it('is refused to the second who shows a token for one, and to whoever guesses', async () => {
    const token = await mesh.token()
    expect((await joinAs('first', token)).code).to.equal(0)
    const second = await joinAs('second', token)
    expect(second.code).to.equal(3)
    expect(second.stdout + second.stderr).to.include('TOKEN_USED')
    const { s: _, ...rest } = JSON.parse(Buffer.from(token.slice(8), 'base64url').toString()) as { s: string }
    const guess = `vendue1.${Buffer.from(JSON.stringify({ ...rest, s: 'A'.repeat(43) })).toString('base64url')}`
    const third = await joinAs('third', guess)
    expect(third.stdout + third.stderr).to.include('TOKEN_UNKNOWN')
  })

  it('is won by one of twenty who show a token for one at the same moment', async () => {
    const token = await mesh.token()
    const joins = await Promise.allSettled(Array.from({ length: 20 }, (_, i) => mesh.join(`racer-${i}`, { token })))
    const lost = joins.flatMap((one) => (one.status === 'rejected' ? [(one.reason as { code: string }).code] : []))
    expect(joins.length - lost.length).to.equal(1)
    expect(new Set(lost)).to.satisfy((codes: Set<string>) =>
      [...codes].every((code) => code === 'TOKEN_USED' || code === 'BUSY'),
    )
  })

  it('leaves an invited key to its owner: nobody joins with a key that he does not have', async () => {
    const token = await mesh.token()
    const { secret } = parseToken(token)
    const { nodeId, signer } = await mesh.join('mallory')
    const victim = await new X509CertificateIssuer().createCa({
      meshName: 'any',
      notBefore: Date.now(),
      notAfter: Date.now() + 1_000,
    })
    const { meshId } = mesh.stolenAuthority()
    const signature = signer.sign(joinText({ meshId, nodeId, secret }))
    const request = { secret, publicKey: victim.publicKey, name: 'victim', addresses: [], signature }
    expect(await say(mesh.node(0), 'vendue.join', request, null)).to.equal('FORBIDDEN')
  })
})

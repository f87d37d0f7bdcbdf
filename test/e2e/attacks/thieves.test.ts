import { cpSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { AttackedMesh, FREE_PORTS, infoOf, insiderOf, openAuction, say } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { NodeProcess, vendue } from '../../support/node-process.js'

/** What there is to steal. */
const PRIVATE = /^(node\.key|operator\.token|vendue\.db|mesh\.db|authority\.db|gateway\.db|gateway\.keys|node\.json)/

describe('the thief of a data directory', () => {
  let mesh: AttackedMesh
  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
  })
  after(() => mesh.stop())

  it('has to be the same user: no file with a secret is open to others', () => {
    const open: string[] = []
    let seen = 0
    for (const path of readdirSync(mesh.home, { recursive: true, encoding: 'utf8' })) {
      const mode = statSync(join(mesh.home, path), { throwIfNoEntry: false })?.mode
      // SQLite removes its journals again.
      if (mode === undefined) continue
      if (!PRIVATE.test(path.split('/').at(-1) ?? '')) continue
      seen += 1
      if ((mode & 0o077) !== 0) open.push(`${path} ${(mode & 0o777).toString(8)}`)
    }
    expect(seen).to.be.above(8)
    expect(open).to.deep.equal([])
    for (const dir of ['nodes/anna', 'nodes/ben', 'meshes/test'])
      expect(statSync(join(mesh.home, dir)).mode & 0o077, dir).to.equal(0)
  })

  it('is noticed when both run; and once the stolen key is put out, it is of no use', async () => {
    const stolen = join(mesh.elsewhere, 'nodes', 'ben')
    cpSync(mesh.node(1).dataDir, stolen, { recursive: true })
    for (const left of ['node.json', 'node.lock']) rmSync(join(stolen, left), { force: true })
    const { nodeId } = await infoOf(mesh.node(1))
    const { dhtAddress } = await infoOf(mesh.node(0))
    const thief = insiderOf(stolen)
    expect(thief.nodeId).to.equal(nodeId)
    const heads = { prefix: '', afterId: null }
    expect(await say(mesh.node(0), 'vendue.heads', heads, thief.tls), 'it is ben to all').to.equal('ok')

    const double = await NodeProcess.start({
      home: mesh.elsewhere,
      name: 'ben',
      args: [...FREE_PORTS, '--bootstrap', dhtAddress ?? ''],
    })
    mesh.later(() => double.end())
    const ended = await Promise.race([
      mesh.node(1).exited.then(() => mesh.node(1)),
      double.exited.then(() => double),
      new Promise<null>((resolve) => void setTimeout(() => resolve(null), 30_000).unref()),
    ])
    expect(ended, 'one of two with one key gives up').to.not.equal(null)
    expect(ended?.output).to.include("already runs with this node's key")

    expect((await vendue(mesh.home, ['mesh', 'revoke', nodeId])).code).to.equal(0)
    await eventually('the stolen key is out', async () => {
      return (await say(mesh.node(0), 'vendue.heads', heads, thief.tls)) === 'MEMBER_REVOKED'
    })
    await openAuction(mesh.node(0))
  })
})

import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { meshIdOf } from '../../src/application/members/member-log.js'
import { EXPORT_VERSION } from '../../src/application/proof/export-format.js'
import { PROOF_VERSION } from '../../src/application/proof/proof-file.js'
import { eventually } from '../support/eventually.js'
import { skipUnless } from '../support/requires.js'
import { hasPython, PYTHON_MISSING } from '../support/second-verifier.js'
import { makeTempDir } from '../support/temp-dir.js'
import { TestGateway } from '../support/test-gateway.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'

describe('what a gateway gives to those who trust nobody', () => {
  const dir = makeTempDir()
  let mesh: TestMesh
  let gateway: TestGateway
  let elsewhere: TestGateway

  before(async () => {
    mesh = await createTestMesh(2)
    gateway = await TestGateway.start(mesh.nodes[0]!)
    elsewhere = await TestGateway.start(mesh.nodes[1]!)
  })

  after(async () => {
    await gateway?.stop()
    await elsewhere?.stop()
    await mesh?.stop()
    dir.remove()
  })

  it('says who it is, with keys that its ids follow from, and for how long that can be kept', async () => {
    const { headers, body } = await gateway.get('/.well-known/vendue.json')
    expect(headers.get('cache-control')).to.equal('public, max-age=60')
    const { node } = await mesh.nodes[0]!.api.status()
    expect(body.node).to.deep.equal({ id: node.nodeId, name: node.name, public_key: node.publicKey })
    expect(nodeIdOf(body.node.public_key)).to.equal(body.node.id)
    expect(meshIdOf(body.mesh.authority.public_key)).to.equal(body.mesh.id)
    const formats = { export: EXPORT_VERSION, proof: PROOF_VERSION, tlog_proof: 'c2sp.org/tlog-proof@v1' }
    expect(body.formats).to.deep.equal(formats)
  })

  it('proves its commits to tools for transparency logs, as the home that it is or as the node that holds a copy', async function () {
    skipUnless(this, hasPython(), PYTHON_MISSING)
    const id = await gateway.open()
    for (const amount of ['10', '20', '30']) await gateway.bid(id, amount === '20' ? 'bert' : 'anna', amount)
    const log = String((await gateway.get(`/api/v1/auctions/${id}/log`)).body)
    await eventually('the copy is whole', async () => {
      return String((await elsewhere.get(`/api/v1/auctions/${id}/log`)).body) === log
    })
    writeFileSync(join(dir.path, 'log.vendue'), log)
    const holds = async (from: TestGateway, query: string, ...args: string[]) => {
      const { body, headers } = await from.get(`/api/v1/auctions/${id}/tlog-proof${query}`)
      const [proof, key] = [join(dir.path, 'log.tlog-proof'), headers.get('vendue-verifier-key') ?? '']
      writeFileSync(proof, String(body))
      const given = args.includes('--key') ? ['--key', key] : []
      const run = ['examples/verify.py', '--tlog-proof', proof, ...given, join(dir.path, 'log.vendue')]
      return spawnSync('python3', run, { encoding: 'utf8' }).stdout
    }
    for (const query of ['', '?seq=1', '?seq=2']) expect(await holds(gateway, query)).to.contain(': valid ')
    expect(await holds(elsewhere, '')).to.contain('no home of the auction has signed it')
    expect(await holds(elsewhere, '', '--key')).to.contain(': valid ')
  })

  it('says which events there are if it is asked for a proof of another one', async () => {
    const id = await gateway.open()
    const { status, body } = await gateway.get(`/api/v1/auctions/${id}/tlog-proof?seq=2`)
    expect([status, body.code, body.field]).to.deep.equal([400, 'INVALID_INPUT', 'seq'])
    expect(body.next).to.contain('1 to 1')
    expect((await gateway.get('/api/v1/auctions/auc_nothere/tlog-proof')).status).to.equal(404)
  })
})

import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { NodeProcess, vendue, vendueJson } from '../support/node-process.js'
import { JPEG, noise, sha256 } from '../support/pictures.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Grapes of one machine find each other: whatever else is announced there is no peer of these. */
const MESH = { VENDUE_MESH: `pictures-${process.pid}` }
/** What docs/operations.md says to back up. */
const BACKED_UP = ['vendue.db', 'node.key', 'mesh.db', 'operator.token', join('pictures', 'own')]
const DRAWING = noise(1)

describe('pictures of a node of its own process', () => {
  const { home, remove } = makeTempHome()
  const name = ['--name', 'seller']
  let node: NodeProcess
  let auction: string

  before(async () => {
    node = await NodeProcess.start({ home, name: 'seller', args: FREE_PORTS, env: MESH })
    const files = [
      ['drawing.png', DRAWING],
      ['photo.jpg', JPEG],
    ] as const
    const pictures = files.flatMap(([file, bytes]) => {
      writeFileSync(join(home, file), bytes)
      return ['--picture', join(home, file)]
    })
    const terms = ['--start', '20', '--currency', 'EUR', ...pictures]
    const opened = await vendueJson<{ auction_id: string }>(home, ['open', 'Chair', ...terms, ...name])
    auction = opened.auction_id
  })
  after(async () => {
    await node.end()
    remove()
  })

  const out = () => join(home, 'chair.vendue')
  const shown = () => join(home, 'shown')
  const drawing = () => join(shown(), `${sha256(DRAWING)}.png`)
  const check = async () => {
    const run = await vendue(home, ['verify', out(), '--pictures', shown(), '--json'])
    const { shown: pictures } = JSON.parse(run.stdout) as { shown: { fault: string | null }[] }
    return { code: run.code, faults: pictures.map(({ fault }) => fault) }
  }

  it('are compared with a real export, which names each that differs from what was shown', async () => {
    const exported = await vendue(home, ['export', auction, '--out', out(), '--pictures', shown(), ...name])
    expect(exported.code, exported.stderr).to.equal(0)
    expect(await check()).to.deep.equal({ code: 0, faults: [null, null] })
    const changed = Buffer.from(DRAWING)
    changed[changed.length - 20]! ^= 1
    writeFileSync(drawing(), changed)
    const { code, faults } = await check()
    expect(code).to.equal(1)
    expect(faults[0]).to.equal(`is not what was shown: its SHA-256 is ${sha256(changed)}`)
    expect(faults[1]).to.equal(null)
    rmSync(drawing())
    expect((await check()).faults[0]).to.equal('is not there')
  })

  it('are there after the documented backup is restored', async () => {
    const backup = join(home, 'backup')
    const { dataDir } = node
    await node.end()
    mkdirSync(join(backup, 'pictures'), { recursive: true })
    for (const path of BACKED_UP) cpSync(join(dataDir, path), join(backup, path), { recursive: true })
    renameSync(dataDir, join(home, 'lost'))
    renameSync(backup, dataDir)
    await node.start()
    const file = join(home, 'again.png')
    const read = await vendue(home, ['picture', sha256(DRAWING), '--out', file, ...name])
    expect(read.code, read.stderr).to.equal(0)
    expect(readFileSync(file).equals(DRAWING)).to.equal(true)
  })
})

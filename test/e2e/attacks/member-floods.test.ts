import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { rpcTable } from '../../../src/adapters/grenache/rpc/rpc-table.js'
import { fakeMeshService, fakeNodeApi, fakePeerService } from '../../adapters/grenache/fakes.js'
import { AttackedMesh, infoOf, openAuction } from '../../support/attacked-mesh.js'
import { eventually } from '../../support/eventually.js'
import { FlooderClient } from '../../support/flooding/flooder-client.js'
import { FLOODS } from '../../support/flooding/floods.js'

/** How long each flood lasts at least: `VENDUE_FLOOD_MS=20000 npm test -- member-floods` for longer ones. */
const FLOOD_MS = Number(process.env.VENDUE_FLOOD_MS ?? 800)
/** What the two who trade get done during each of them. */
const LEAST_BIDS = 10
/** Requests under way at once. */
const AT_ONCE = 40
/** What all floods together may leave on the node's disk. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024
const MAX_RESIDENT_BYTES = 1_200 * 1024 * 1024

describe('a member that floods a real node from a process of its own, while two others trade', function () {
  this.timeout(60_000 + 40 * FLOOD_MS)

  let mesh: AttackedMesh
  let mallory: FlooderClient
  let ids = 0

  before(async () => {
    mesh = await AttackedMesh.start(['anna', 'ben'])
    const { dataDir } = await mesh.join('mallory')
    const anna = mesh.node(0)
    const target = await infoOf(anna)
    const { nodeId: bystander } = await infoOf(mesh.node(1))
    const { meshId } = (await anna.api.status()).mesh
    const [long, over, dear] = await Promise.all([
      openAuction(anna, { description: 'd'.repeat(10_000) }),
      openAuction(anna),
      openAuction(anna, { start: '1000' }),
    ])
    await anna.api.close({ auction: over, commandId: newId('cmd') })
    mallory = new FlooderClient({ dataDir, meshId, target, bystander, auctions: { long, over, dear } })
    mesh.later(() => mallory.end())
  })
  after(() => mesh?.stop())

  const newId = (kind: string) => `${kind}_trade${String(++ids).padStart(9, '0')}`

  /**
   * Ben bids at anna's auction, one bid after the other, and asks again where no answer comes in time: who is kept
   * waiting for long fails.
   */
  async function trade(): Promise<void> {
    const auction = await openAuction(mesh.node(0), { increment: '0.01' })
    await eventually('ben knows it', () => mesh.node(1).api.show({ auction }))
    const endsAt = performance.now() + FLOOD_MS
    for (let i = 0; i < LEAST_BIDS || performance.now() < endsAt; i++) {
      const bid = { auction, commandId: newId('bid'), kind: 'max', amount: String(20 + i) } as const
      const { outcome } = await eventually('the bid is decided', () => mesh.node(1).api.bid(bid))
      expect(outcome.status).to.equal('accepted')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await eventually('ben sees what anna has', async () => {
      const [here, there] = await Promise.all(mesh.nodes.map(({ api }) => api.show({ auction })))
      return here?.head.hash === there?.head.hash
    })
  }

  it('is tried with every RPC that there is', () => {
    const names = rpcTable({
      peer: fakePeerService(),
      operator: fakeNodeApi(),
      mesh: fakeMeshService(),
    }).keys()
    const others = [...names].filter((name) => !name.startsWith('vendue.node.'))
    expect(Object.values(FLOODS).map(({ rpc }) => rpc)).to.include.members(others)
  })

  for (const [flood, { reaches, mayKeepBytes }] of Object.entries(FLOODS))
    it(`keeps nobody waiting with ${flood}`, async () => {
      // What came before may still hold what this member may hold at once.
      const isFree = async () => (await mallory.once('questions for its digest')) === 'ok'
      await eventually('it reaches what it is meant to', async () => (await mallory.once(flood)) === reaches)
      const before = sizeOf()
      mallory.start(flood, AT_ONCE)
      const answers = await trade().then(
        () => mallory.stop(),
        async (error: unknown) => {
          await mallory.stop()
          throw error
        },
      )
      if (process.env.VENDUE_FLOOD_LOG) console.log(flood, answers)
      expect(Object.values(answers).reduce((sum, count) => sum + count, 0)).to.be.at.least(AT_ONCE)
      if (mayKeepBytes !== undefined) expect(sizeOf() - before).to.be.below(mayKeepBytes)
      await eventually('it is done with it', isFree)
    })

  it('leaves no more than its budgets allow, and the node says whose they are', async () => {
    expect(sizeOf()).to.be.below(MAX_GROWTH_BYTES)
    const { budgets, pid } = await mesh.node(0).api.status()
    const reached = new Set(budgets.filter(({ refused }) => refused > 0).map(({ name }) => name))
    for (const name of ['addresses', 'certificates', 'member-entries', 'checked-proofs'])
      expect([...reached]).to.include(name)
    for (const { name, fullest, limit } of budgets) {
      if (name === 'work' || name === 'request-bytes') continue
      expect(fullest?.used ?? 0, name).to.be.at.most(limit)
    }
    const resident = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    expect(Number(resident) * 1_024).to.be.below(MAX_RESIDENT_BYTES)
  })

  function sizeOf(): number {
    const file = join(mesh.node(0).dataDir, 'vendue.db')
    return statSync(file).size + statSync(`${file}-wal`).size
  }
})

import { dirname } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/adapters/sqlite/open-store.js'
import { repairStore } from '../../src/adapters/sqlite/repair-store.js'
import { Ed25519Verifier, loadNodeKey } from '../../src/adapters/system/node-key.js'
import { readLog, unplaced } from '../../src/application/proof/read-log.js'
import { verifyLog } from '../../src/application/proof/verify-log.js'
import type { AuctionRecord } from '../../src/ports/store/auction-repository.js'
import { eventually } from '../support/eventually.js'
import { vendue } from '../support/node-process.js'
import { createTestMesh, type TestMesh } from '../support/test-mesh.js'
import { unreadableCancel } from '../support/unreadable-commit.js'

describe('a home that holds what no node reads', () => {
  let mesh: TestMesh
  let auctionId: string
  let dataDir: string

  before(async () => {
    mesh = await createTestMesh(2)
  })

  after(() => mesh.stop())

  const ANNA = { id: 'acc_anna', name: 'Anna' }
  const bid = (node: number, commandId: string, amount: string, kind: 'plain' | 'max' = 'plain') =>
    mesh.nodes[node]!.api.bid({ auction: auctionId, commandId, kind, amount, as: ANNA })
  const repair = (takeBack?: string) => {
    const { publicKey } = loadNodeKey(dataDir)
    return repairStore(dataDir, { publicKey, verifier: new Ed25519Verifier(), now: Date.now(), takeBack })
  }

  it('learns so from repair, which changes nothing unasked', async () => {
    const home = mesh.nodes[0]!
    dataDir = (await home.api.status()).dataDir
    const opened = await home.api.open({
      commandId: 'cmd_take_back_1',
      title: 'Lot',
      currency: 'EUR',
      start: '1',
      increment: '1',
    })
    auctionId = opened.outcome.auctionId
    await bid(0, 'bid_take_back_1', '50', 'max')
    await eventually('the other has the bid', async () => {
      const record = await mesh.nodes[1]!.services.parts.auctions.find(auctionId)
      return record?.head.seq === 2
    })
    await home.stop()
    const store = await openStore(dataDir)
    const record = (await store.auctions.find(auctionId)) as AuctionRecord
    await store.eventLog.append(unreadableCancel(record, loadNodeKey(dataDir), Date.now()))
    await store.close()
    const { damage, unaccepted, takenBack } = await repair()
    expect(damage).to.equal(null)
    expect(takenBack).to.deep.equal([])
    expect(unaccepted).to.have.length(1)
    expect(unaccepted[0]).to.deep.include({ auctionId, seq: 3, commands: ['cmd_unreadable'] })
    expect(unaccepted[0]?.why).to.contain('at most 500')
    const { code, stdout } = await vendue(dirname(dirname(dataDir)), ['repair', '--data', dataDir])
    expect(code).to.equal(1)
    expect(stdout).to.contain(`${auctionId} ends from event 3 on in what no node reads`)
    expect(stdout).to.contain('repair --take-back')
  })

  it('takes nothing back of an auction that others read', async () => {
    const other = `auc_${'0'.repeat(26)}`
    expect(await repair(other)).to.deep.include({ damage: null, movedTo: null, takenBack: [] })
  })

  it('goes back to what others hold when it is asked to, and goes on with them', async () => {
    const { takenBack, lost, saved } = await repair(auctionId)
    expect(takenBack).to.have.length(1)
    expect(lost).to.deep.include({ auctions: [], incomplete: [] })
    expect(saved.auctions).to.deep.equal([auctionId])
    const home = await mesh.join(mesh.nodes[0]!.info.name)
    const { state } = await home.api.show({ auction: auctionId })
    expect(state).to.include({ status: 'open', bidCount: 1, price: 100 })
    // The maximum that was left with it is still known.
    const bea = { id: 'acc_bea', name: 'Bea' }
    const low = await home.api.bid({
      auction: auctionId,
      commandId: 'bid_take_back_2',
      kind: 'plain',
      amount: '20',
      as: bea,
    })
    expect(low.outcome).to.deep.include({
      status: 'accepted',
      bid: { leads: false, price: 2_100, reserveMet: true },
    })
    const again = await home.api.bid({
      auction: auctionId,
      commandId: 'bid_take_back_1',
      kind: 'max',
      amount: '50',
      as: ANNA,
    })
    expect(again.outcome).to.include({ status: 'accepted', seq: 2 })
    await home.api.close({ auction: auctionId, commandId: 'cmd_take_back_2' })
    const other = mesh.nodes[1]!
    await eventually('the other hears the close', async () => {
      return (await other.api.show({ auction: auctionId })).state.status === 'closed'
    })
    await eventually('both are synced', async () =>
      [other, home].every(({ sync }) => sync.state === 'synced' && sync.doubtedAuctions.length === 0),
    )
    const commits = unplaced(readLog(other.api, auctionId))
    expect(await verifyLog(commits, { verifier: new Ed25519Verifier() })).to.include({ valid: true })
    expect((await other.api.show({ auction: auctionId })).disputed).to.equal(false)
  })
})

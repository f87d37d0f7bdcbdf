import { join } from 'node:path'
import { expect } from 'chai'
import { addWhole, readWhole } from '../../src/application/pictures/picture-transfer.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { Accepted } from '../../src/ports/store/outcome-repository.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { noise, sha256 } from '../support/pictures.js'
import { mountSmallDisk, type SmallDisk } from '../support/small-disk.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Grapes of one machine find each other: whatever else is announced there is no peer of these. */
const MESH = { VENDUE_MESH: `disk-full-${process.pid}` }
const PICTURE = noise(1)

describe('a home whose disk is full', () => {
  let temp: ReturnType<typeof makeTempHome>
  let disk: SmallDisk | undefined
  let home: NodeProcess | undefined
  let bidder: NodeProcess | undefined

  before(async function () {
    temp = makeTempHome()
    disk = mountSmallDisk(this, join(temp.home, 'nodes', 'full'), '4m')
    home = await NodeProcess.start({ home: temp.home, name: 'full', args: FREE_PORTS, env: MESH })
    bidder = await NodeProcess.start({ home: temp.home, name: 'bidder', args: FREE_PORTS, env: MESH })
    await untilConnected([home, bidder])
  })

  after(async () => {
    await Promise.all([home?.end(), bidder?.end()])
    disk?.unmount()
    temp.remove()
  })

  it('says DISK_FULL, stays up, and goes on by itself once there is room', async () => {
    if (!home || !bidder || !disk) throw new Error('the nodes do not run')
    const { api } = home
    const open = (id: string, more: object = {}) =>
      api.open({
        commandId: `cmd_full_${id}`,
        title: id,
        currency: 'EUR',
        start: '1',
        increment: '0.01',
        ...more,
      })
    const auction = (await open('stays')).outcome.auctionId
    await eventually('the bidder knows it', async () => bidder?.api.show({ auction }))
    const acknowledged: Accepted[] = []
    const bid = async (n: number) => {
      const commandId = `bid_full${String(n).padStart(6, '0')}`
      const amount = (1 + n / 100).toFixed(2)
      const { outcome } = (await bidder?.api.bid({ auction, commandId, kind: 'max', amount })) ?? {}
      if (outcome?.status !== 'accepted') throw new Error(`${commandId}: ${JSON.stringify(outcome)}`)
      acknowledged.push(outcome)
    }
    for (let n = 1; n <= 50; n++) await bid(n)
    // As late as can be: it must not end before the disk is full.
    const due = (await open('falls-due', { closesInMs: 5_000 })).outcome.auctionId
    disk.fill()
    for (let n = 51; n <= 60; n++) expect(await codeOf(bid(n))).to.equal('DISK_FULL')
    expect(await codeOf(open('no-room'))).to.equal('DISK_FULL')
    expect(await codeOf(addWhole(api, PICTURE))).to.equal('DISK_FULL')
    expect((await api.show({ auction })).head.seq).to.equal(51)
    expect((await api.list({})).auctions).to.have.length(2)
    await eventually('its time has come', () => home?.output.includes('a due auction could not be moved on'))
    expect((await api.show({ auction: due })).state.status).to.equal('open')

    disk.clear()
    await eventually('the due auction closes', async () => (await api.show({ auction: due })).state.status === 'closed')
    // The same ids: nothing was stored of them before.
    for (let n = 51; n <= 60; n++) await bid(n)
    const { hash } = await addWhole(api, PICTURE)
    await open('no-room', { pictures: [{ hash }] })

    await home.end('SIGKILL')
    await home.start()
    expect(sha256((await readWhole(home.api, hash)).bytes)).to.equal(hash)
    const { bids } = await home.api.history({ auction, limit: 1_000 })
    const stored = new Map(bids.map(({ bidId, seq }) => [bidId, seq]))
    expect(acknowledged).to.have.length(60)
    for (const { commandId, seq } of acknowledged) expect(stored.get(commandId)).to.equal(seq)
  })
})

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'accepted'
  } catch (error) {
    if (error instanceof NodeError) return error.code
    throw error
  }
}

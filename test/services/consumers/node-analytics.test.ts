import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { createNode, type VendueNode } from '../../../services/node/create-node.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { makeTempDir } from '../../support/temp-dir.js'
import { testSettings } from '../../support/test-settings.js'

const BIDDER = { id: 'acc_b', name: 'b' }

describe('analytics as a part of a node', () => {
  const { path: home, remove } = makeTempDir()
  let node: VendueNode | null = null
  afterEach(async () => {
    await node?.stop()
    node = null
  })
  after(() => remove())

  async function started(name: string, analytics = true): Promise<VendueNode> {
    const settings = { ...testSettings({ home, name }), consumers: { analytics, database: null } }
    node = createNode(settings, { logger: silentLogger })
    await node.start()
    return node
  }
  const statReader = ({ services }: VendueNode) => services.parts.statReader
  async function open({ api }: VendueNode, title: string): Promise<string> {
    const { outcome } = await api.open({ title, currency: 'USD', start: '10', commandId: `cmd_${title}` })
    return outcome.status === 'accepted' ? outcome.auctionId : ''
  }
  const counts = async (of: VendueNode) => {
    const found = await statReader(of)?.coverage()
    return found === null ? null : { auctions: found?.auctions, events: found?.events }
  }

  it('takes in what happens, and goes on after a restart with what happened meanwhile', async () => {
    const first = await started('numbers')
    const auction = await open(first, 'one')
    await eventually('the opening', async () => (await counts(first))?.events === 1)
    await first.api.bid({ auction, commandId: 'bid_one', kind: 'plain', amount: '12', as: BIDDER })
    await eventually('the bid', async () => (await counts(first))?.events === 2)
    const status = async () => (await first.api.status()).consumers[0]
    await eventually('the status', async () => (await status())?.state === 'following')
    expect(await status()).to.include({ name: 'analytics', generation: 1, error: null })
    const all = { auctionId: null, sellerId: null, from: 0, to: Date.now() + 60_000 }
    const lots = await first.stats?.lots(all, { limit: 10, after: null })
    expect(lots?.lots[0]).to.include({ bids: 1 })
    await first.stop()

    const silent = await started('numbers', false)
    expect((await silent.api.status()).consumers).to.deep.equal([])
    expect(statReader(silent)).to.equal(null)
    await open(silent, 'two')
    await silent.stop()

    const again = await started('numbers')
    await eventually('the other opening', async () => (await counts(again))?.events === 3)
    expect(await counts(again)).to.deep.equal({ auctions: 2, events: 3 })
  })

  it('leaves bidding alone where its database cannot be used, and says what to do', async () => {
    const settings = testSettings({ home, name: 'broken' })
    const file = join(home, 'not-a-database')
    writeFileSync(file, 'this is no database, and is long enough to be seen as none '.repeat(20))
    const consumers = { analytics: true, database: { kind: 'sqlite', file } as const }
    node = createNode({ ...settings, consumers }, { logger: silentLogger })
    await node.start()
    const auction = await open(node, 'unharmed')
    const { api } = node
    await eventually('it fails', async () => (await api.status()).consumers[0]?.state === 'failing')
    const { outcome } = await api.bid({ auction, commandId: 'bid_two', kind: 'plain', amount: '12', as: BIDDER })
    expect(outcome.status).to.equal('accepted')
    expect((await api.status()).consumers[0]?.error).to.contain('move the file away')
  })
})

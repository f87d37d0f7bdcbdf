import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
/** Amounts that occur nowhere by chance, in the forms in which they could leak. */
const SECRETS = { reserve: '98765432.19', max: '87654321.98', raised: '87654399.77', upTo: '76543298.76' }

describe("secrets of an auction on other nodes' disks", () => {
  const { home, remove } = makeTempHome()
  const nodes: NodeProcess[] = []

  before(async () => {
    for (const name of ['seller', 'bidder', 'rival', 'watcher']) {
      nodes.push(await NodeProcess.start({ home, name, args: FREE_PORTS, logLevel: 'trace' }))
    }
    await untilConnected(nodes)
  })

  after(async () => {
    await Promise.all(nodes.map((node) => node.end()))
    remove()
  })

  it('keeps maxima and the reserve from every node but the home, and an --up-to limit even from that', async () => {
    const [seller, bidder, rival, watcher] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    const { outcome } = await seller.api.open({
      commandId: 'cmd_secret0001',
      title: 'Secret',
      currency: 'EUR',
      start: '10',
      reserve: SECRETS.reserve,
    })
    const auction = outcome.auctionId
    await Promise.all(nodes.map((node) => eventually('known', () => node.api.show({ auction }))))
    await bidder.api.bid({ auction, commandId: 'bid_secret0001', kind: 'max', amount: SECRETS.max })
    await bidder.api.bid({ auction, commandId: 'bid_secret0002', kind: 'max', amount: SECRETS.raised })
    await rival.api.autoBid({ auction, limit: SECRETS.upTo })
    const head = await eventually('the auto-bidder gets started', async () => {
      const view = await seller.api.show({ auction })
      return view.state.bidCount >= 3 ? view.head : null
    })
    await Promise.all(
      nodes.map((node) =>
        eventually('replicated', async () => (await node.api.show({ auction })).head.seq >= head.seq),
      ),
    )
    await rival.api.stopAutoBid({ auction })

    const found = (node: NodeProcess, amounts: readonly string[]) => leaks(node, amounts)
    const { reserve, max, raised, upTo } = SECRETS
    expect(found(watcher, [reserve, max, raised, upTo])).to.deep.equal([])
    expect(found(rival, [reserve, max, raised])).to.deep.equal([])
    expect(found(bidder, [reserve, upTo])).to.deep.equal([])
    expect(found(seller, [upTo])).to.deep.equal([])
    // The search does find what is there.
    expect(found(seller, [reserve]), 'the home keeps the reserve').to.not.deep.equal([])
    expect(found(rival, [upTo]), "the bidder's own node keeps its limit").to.not.deep.equal([])

    const closed = await seller.api.close({ auction, commandId: 'cmd_secret0002' })
    expect(closed.auction?.state.status).to.equal('closed')
    await eventually('the reserve is revealed by the close', () => leaks(watcher, [reserve]).length > 0)
  })
})

/**
 * Where an amount stands, as text or as a stored integer, in any file of the node's data directory or in its output.
 */
function leaks(node: NodeProcess, amounts: readonly string[]): string[] {
  const files = readdirSync(node.dataDir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(node.dataDir, name))
    .filter((path) => statSync(path).isFile())
  const places = [
    ...files.map((path) => ({ place: path.slice(node.dataDir.length + 1), bytes: readFileSync(path) })),
    { place: 'output', bytes: Buffer.from(node.output) },
  ]
  return places.flatMap(({ place, bytes }) =>
    amounts
      .filter((amount) => forms(amount).some((form) => bytes.includes(form)))
      .map((amount) => `${place}: ${amount}`),
  )
}

function forms(amount: string): Buffer[] {
  const minor = Number(amount.replace('.', ''))
  const stored = Buffer.alloc(8)
  stored.writeBigInt64BE(BigInt(minor))
  // SQLite stores integers big-endian in as few bytes as fit.
  return [Buffer.from(amount), Buffer.from(String(minor)), stored.subarray(2), stored.subarray(3)]
}

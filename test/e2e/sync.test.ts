import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { eventually } from '../support/eventually.js'
import { fillStore } from '../support/full-store.js'
import { NodeProcess, vendue } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const SIZE = { auctions: 400, bidsPerAuction: 500, bidsPerCommit: 50 }
const BIDS = SIZE.auctions * SIZE.bidsPerAuction
const EVENTS = BIDS + SIZE.auctions
/** So much has been stored when something happens to the sync. */
const UNDER_WAY = 20_000
const SYNC_TIMEOUT_MS = 60_000

describe('a sync between processes', () => {
  const { home, remove } = makeTempHome()
  const running: NodeProcess[] = []
  const meshName = `sync-${process.pid}`
  const mesh = { VENDUE_MESH: meshName }

  before(() => fillStore(home, SIZE, meshName))
  afterEach(async () => {
    await Promise.all(running.splice(0).map((node) => node.end('SIGKILL')))
  })
  after(remove)

  async function start(name: string): Promise<NodeProcess> {
    const node = new NodeProcess({ home, name, args: FREE_PORTS, env: mesh })
    running.push(node)
    await node.start()
    return node
  }

  /** The data of a node that holds replicas of all auctions; `spoil` alters its database. */
  function copyOf(name: string, spoil: (db: Database.Database) => void = () => {}): string {
    const dataDir = join(home, 'nodes', name)
    mkdirSync(dataDir, { recursive: true })
    cpSync(join(home, 'nodes', 'full', 'vendue.db'), join(dataDir, 'vendue.db'))
    const db = new Database(join(dataDir, 'vendue.db'))
    spoil(db)
    db.close()
    return name
  }

  const bidsOf = async (node: NodeProcess) => (await node.api.status()).bids
  const underWay = (node: NodeProcess) =>
    eventually('the sync is under way', async () => (await bidsOf(node)) > UNDER_WAY, SYNC_TIMEOUT_MS)
  const synced = (node: NodeProcess) =>
    eventually(
      'all is synced',
      async () => {
        const { bids, sync } = await node.api.status()
        return bids === BIDS && sync.state === 'synced'
      },
      SYNC_TIMEOUT_MS,
    )

  it('goes on where it stopped when the syncing process is killed, and serves reads meanwhile', async () => {
    await start('full')
    const joined = await start('killed')
    await underWay(joined)
    expect((await joined.api.list({ limit: 5 })).auctions).to.have.length(5)
    await joined.end('SIGKILL')
    await joined.start()
    await synced(joined)
    const { sync } = await joined.api.status()
    expect(sync.done).to.be.within(1, EVENTS - UNDER_WAY)
    expect(sync.refused).to.equal(0)
    const [auction] = (await joined.api.list({ limit: 1 })).auctions
    expect((await vendue(home, ['verify', auction?.auctionId ?? '', '--name', 'killed'], { env: mesh })).code).to.equal(
      0,
    )
  })

  it('goes on with a third peer when of two that it pulls from one is killed and one stands still', async () => {
    const dying = await start('full')
    const stalling = await start(copyOf('stalling'))
    await start(copyOf('sound'))
    const joined = await start('joined')
    await underWay(joined)
    // It is fast: it would be through before both are stopped.
    joined.signal('SIGSTOP')
    stalling.signal('SIGSTOP')
    await dying.end('SIGKILL')
    joined.signal('SIGCONT')
    expect(await bidsOf(joined), 'while it was under way').to.be.below(BIDS)
    await synced(joined)
    expect((await joined.api.status()).sync.refused).to.equal(0)
  })

  it('stores nothing of what a liar made up, and gets it from an honest peer', async () => {
    // Prices that nobody bid, in the last commit of every other auction, which is not signed for any more.
    const spoil = (db: Database.Database) =>
      db.exec(`UPDATE commits SET body = replace(body, ',true,', '0,true,') WHERE auction % 2 = 0
        AND first_seq = (SELECT max(first_seq) FROM commits AS other WHERE other.auction = commits.auction)`)
    await start(copyOf('liar', spoil))
    const joined = await start('wary')
    await eventually(
      'what is true is there, and the lies are counted',
      async () => {
        const { bids, sync } = await joined.api.status()
        return bids === BIDS - (SIZE.auctions / 2) * SIZE.bidsPerCommit && sync.refused >= SIZE.auctions / 2
      },
      SYNC_TIMEOUT_MS,
    )
    expect(joined.output).to.contain('a peer sent commits that are not sound')
    await start('full')
    await synced(joined)
  })
})

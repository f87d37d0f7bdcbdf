import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { CLUSTER_KEY_FILE, createClusterKey } from '../../src/adapters/system/cluster-key.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { PostgresServer } from '../support/postgres/postgres-server.js'
import { makeTempHome } from '../support/temp-home.js'

const FREE_PORTS = ['--grape-port', '0', '--dht-port', '0']
const NAMES = ['one', 'two', 'three'] as const
const WITHIN_MS = 60_000

describe('three nodes of a cluster, and a PostgreSQL server', () => {
  const { home, remove } = makeTempHome()
  let server: PostgresServer
  let nodes: NodeProcess[]
  let bids = 0

  before(async function () {
    this.timeout(180_000)
    server = await PostgresServer.start()
    const database = await server.createDatabase()
    const dirs = NAMES.map((name) => join(home, 'nodes', name))
    for (const dir of dirs) mkdirSync(dir, { recursive: true, mode: 0o700 })
    createClusterKey(dirs[0] as string)
    for (const dir of dirs.slice(1))
      copyFileSync(join(dirs[0] as string, CLUSTER_KEY_FILE), join(dir, CLUSTER_KEY_FILE))
    const env = { VENDUE_SHARED_LOG: server.url(database) }
    nodes = []
    for (const name of NAMES) nodes.push(await NodeProcess.start({ home, name, args: FREE_PORTS, env }))
    await untilConnected(nodes)
  })

  after(async function () {
    this.timeout(60_000)
    await Promise.all(nodes.map((node) => node.end()))
    await server.dispose()
    remove()
  })

  const at = (i: number) => nodes[i] as NodeProcess
  const open = async (node: NodeProcess) => {
    const commandId = `cmd_cluster${String(++bids).padStart(4, '0')}`
    const terms = { title: 'Lot', currency: 'JPY', start: '1', increment: '1' }
    const { outcome } = await node.api.open({ commandId, ...terms })
    return outcome.auctionId
  }
  /** Bids until it is known what became of it, with one id. */
  const bid = async (node: NodeProcess, auction: string, amount: number) => {
    const commandId = `bid_cluster${String(++bids).padStart(8, '0')}`
    let since: number | null = null
    return eventually(
      `${commandId} is answered`,
      async () => {
        try {
          since ??= Date.now()
          const request = { auction, commandId, kind: 'max', amount: String(amount) } as const
          const { outcome } = await node.api.bid(request)
          return { commandId, outcome, ms: Date.now() - since }
        } catch (error) {
          if (error instanceof NodeError) return null
          throw error
        }
      },
      WITHIN_MS,
    )
  }
  const known = (node: NodeProcess, auction: string) =>
    eventually(`${node.options.name} knows ${auction}`, () => node.api.show({ auction }).catch(() => null), WITHIN_MS)

  it('go on with an auction whose home is killed: no acknowledged bid is lost, and none counts twice', async () => {
    const auction = await open(at(0))
    await known(at(1), auction)
    const accepted = new Map<string, number>()
    let amount = 10
    const bidSome = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const { commandId, outcome } = await bid(at(1), auction, amount++)
        if (outcome.status === 'accepted') accepted.set(commandId, outcome.seq)
      }
    }
    await bidSome(20)
    const streams = Array.from({ length: 4 }, () => bidSome(15))
    await at(0).end('SIGKILL')
    await Promise.all(streams)
    const survivors = await Promise.all([1, 2].map(async (i) => (await at(i).api.status()).node.nodeId))
    // The home has answered; its commits come to this node in their own time.
    const last = Math.max(...accepted.values())
    await eventually('the copy here has all of it', async () => (await at(1).api.show({ auction })).state.seq >= last)
    const { state } = await at(1).api.show({ auction })
    expect(state.home.nodeId).to.be.oneOf(survivors)
    const history = await at(1).api.history({ auction, limit: 1_000 })
    const seqs = new Map(history.bids.map(({ bidId, seq }) => [bidId, seq]))
    expect(seqs.size).to.equal(history.bids.length)
    expect(accepted.size).to.be.greaterThan(20)
    for (const [commandId, seq] of accepted) expect(seqs.get(commandId), commandId).to.equal(seq)
    await at(0).start()
    await untilConnected(nodes)
    await eventually('the old home follows', async () => {
      return (await at(0).api.show({ auction })).state.home.nodeId === state.home.nodeId
    })
  }).timeout(180_000)

  it('accept nothing while the log is away, say so, and go on once it is back', async () => {
    const auction = await open(at(1))
    await known(at(2), auction)
    await bid(at(2), auction, 5)
    await server.stop()
    const request = { auction, commandId: 'bid_clusteraway1', kind: 'max', amount: '9' } as const
    const code = await at(2)
      .api.bid(request)
      .then(
        () => 'none',
        (error: NodeError) => error.code,
      )
    expect(code).to.be.oneOf(['LOG_UNREACHABLE', 'OUTCOME_UNKNOWN'])
    await eventually('the status says so', async () => (await at(1).api.status()).cluster?.log.outage, WITHIN_MS)
    await server.start()
    expect((await bid(at(2), auction, 10)).outcome.status).to.equal('accepted')
    await eventually('the status says so', async () => (await at(1).api.status()).cluster?.log.outage === null)
  }).timeout(180_000)
})

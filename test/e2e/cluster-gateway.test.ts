import { expect } from 'chai'
import { createClient, type VendueClient } from 'vendue/client'
import { rendezvous } from '../../src/application/cluster/rendezvous.js'
import { makeClusterHome } from '../support/cluster-home.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected, vendue, vendueJson } from '../support/node-process.js'
import { PASSWORD, PostgresServer } from '../support/postgres/postgres-server.js'
import { makeTempHome } from '../support/temp-home.js'

const WITHIN_MS = 60_000
interface Members {
  readonly nodes: readonly { readonly state: string }[]
}

const NAMES = ['one', 'two', 'three'] as const

/** Where the node serves, by what it has written from here on. */
function gatewayOf(node: NodeProcess, from = 0): Promise<string> {
  const found = () => /http {3}(http:\S+)/.exec(node.output.slice(from))?.[1]
  return eventually(`${node.options.name} says where it serves`, found)
}

describe('a gateway, when the home of an auction of its cluster is killed', function () {
  this.timeout(180_000)
  const { home, remove } = makeTempHome()
  let server: PostgresServer
  let nodes: NodeProcess[] = []
  let client: VendueClient
  let ben: VendueClient
  let url: string
  let env: NodeJS.ProcessEnv

  before(async () => {
    server = await PostgresServer.start()
    makeClusterHome(home, NAMES)
    env = { VENDUE_SHARED_LOG: server.url(await server.createDatabase()) }
    const ports = ['--grape-port', '0', '--dht-port', '0', '--http-port', '0']
    nodes = await Promise.all(
      NAMES.map((name) =>
        NodeProcess.start({
          home,
          name,
          args: ports,
          logLevel: 'trace',
          env: { ...env, VENDUE_GATEWAY: name === 'three' ? 'no' : 'yes' },
        }),
      ),
    )
    await untilConnected(nodes)
    url = await gatewayOf(nodes[1]!)
    client = createClient({ gateways: [url], user: 'anna' })
    ben = createClient({ gateways: [url], user: 'ben' })
  })

  after(async () => {
    client?.close()
    ben?.close()
    await Promise.all(nodes.map((node) => node.end()))
    await server?.dispose()
    remove()
  })

  it('keeps its connections, says that the auction moves, and brings each bid to the new home, once', async () => {
    const terms = { commandId: 'cmd_gateway0001', title: 'Lot', currency: 'EUR', start: '1', increment: '1' }
    const { auctionId } = (await nodes[0]!.api.open(terms)).outcome
    await eventually('two knows it', () => client.show(auctionId).catch(() => null), WITHIN_MS)
    const connections: string[] = []
    client.on('connection', ({ state }) => connections.push(state))
    const watch = await client.watch(auctionId)
    const heard: { type: string; seq: number }[] = []
    const moving: boolean[] = []
    watch.on('event', (event) => heard.push(event))
    watch.onMoving((news) => moving.push(news.moving))
    expect(await client.bid(auctionId, '5')).to.include({ status: 'accepted' })
    await eventually('the connection is live', () => heard.some(({ type }) => type === 'bid_placed'))
    const before = connections.length

    await nodes[0]!.end('SIGKILL')
    expect(await ben.bid(auctionId, '10')).to.include({ status: 'accepted', seq: 4 })
    expect(await client.bid(auctionId, '20')).to.include({ status: 'accepted', seq: 5 })
    await eventually('all is heard', () => heard.at(-1)?.seq === 5, WITHIN_MS)
    await eventually('and that it moves no longer', () => moving.at(-1) === false, WITHIN_MS)
    expect(moving[0]).to.equal(true)
    const types = heard.map(({ type }) => type)
    expect(types).to.deep.equal(['bid_placed', 'auction_moved', 'bid_placed', 'bid_placed'])
    expect(heard.map(({ seq }) => seq)).to.deep.equal([2, 3, 4, 5])
    expect(connections.slice(before), 'nothing was lost').to.deep.equal([])
  })

  it('answers over HTTP within 5 s, or that it is not known, and the same bid asked again has one outcome', async () => {
    const terms = { commandId: 'cmd_gateway0002', title: 'Lot', currency: 'EUR', start: '1', increment: '1' }
    const { auctionId } = (await nodes[2]!.api.open(terms)).outcome
    await eventually('two knows it', () => client.show(auctionId).catch(() => null), WITHIN_MS)
    const bid = async () => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': 'over-http' }
      const body = JSON.stringify({ amount: '7', user_id: 'cora' })
      const answer = await fetch(`${url}/api/v1/auctions/${auctionId}/bids`, { method: 'POST', headers, body })
      return { status: answer.status, body: (await answer.json()) as { code?: string; seq?: number } }
    }
    await nodes[2]!.end('SIGKILL')
    const statuses: number[] = []
    const placed = await eventually(
      'it is placed',
      async () => {
        const answer = await bid()
        statuses.push(answer.status)
        if (answer.status !== 201) expect(answer.body.code).to.be.oneOf(['OUTCOME_UNKNOWN', 'HOME_UNREACHABLE'])
        return answer.status === 201 ? answer.body : null
      },
      WITHIN_MS,
    )
    expect(statuses.slice(0, -1).every((status) => status === 504 || status === 503)).to.equal(true)
    expect((await bid()).body.seq).to.equal(placed.seq)
    const { bids } = await client.history(auctionId)
    expect(bids).to.have.length(1)
  })

  it('closes for a seller who is an account, at another gateway of the cluster, after the home was killed', async () => {
    const written = nodes[0]!.output.length
    await Promise.all([nodes[0]!.start(), nodes[2]!.start()])
    await untilConnected(nodes)
    const seller = createClient({ gateways: [await gatewayOf(nodes[0]!, written), url], user: 'sue' })
    try {
      const terms = { title: 'Lot', currency: 'EUR', start_price: '1', increment: '1' }
      const opened = await seller.open(terms)
      if (opened.status !== 'accepted') throw new Error(JSON.stringify(opened))
      const { auction_id: auctionId } = opened
      await eventually('two knows it', () => client.show(auctionId).catch(() => null), WITHIN_MS)
      expect(await client.bid(auctionId, '5')).to.include({ status: 'accepted' })
      await nodes[0]!.end('SIGKILL')
      expect(await seller.closeAuction(auctionId)).to.include({ status: 'accepted' })
      const isClosed = async () => (await client.show(auctionId)).status === 'closed'
      await eventually('two has it', isClosed, WITHIN_MS)
    } finally {
      seller.close()
    }
  })

  it('spreads auctions evenly again by `cluster rebalance`, and hands over those of a node that leaves', async () => {
    await nodes[0]!.start()
    await untilConnected(nodes)
    const states = async () => {
      const { nodes: all } = await vendueJson<Members>(home, ['cluster', 'nodes', '--name', 'two'])
      return all.map(({ state }) => state)
    }
    await eventually('all are alive', async () => (await states()).every((state) => state === 'alive'), WITHIN_MS)
    const opened = await Promise.all(
      [1, 2, 3, 4, 5, 6].map((i) => {
        const terms = { title: `Lot ${i}`, currency: 'EUR', start: '1', increment: '1' }
        return nodes[1]!.api.open({ commandId: `cmd_rebalance${i}`, ...terms })
      }),
    )
    const auctions = opened.map(({ outcome }) => outcome.auctionId)
    const ids = await Promise.all(nodes.map(async ({ api }) => (await api.status()).node.nodeId))
    const homeOf = async (auction: string) => (await nodes[1]!.api.show({ auction })).state.home.nodeId
    const moved = await vendue(home, ['cluster', 'rebalance', '--name', 'two'])
    expect(moved.code, moved.stderr + moved.stdout).to.equal(0)
    for (const auction of auctions) expect(await homeOf(auction)).to.equal(rendezvous(auction, ids)[0])

    const left = await vendue(home, ['cluster', 'leave', '--name', 'three'], { env })
    expect(left.code, left.stderr).to.equal(0)
    expect(left.stdout).to.contain('This node has left its cluster')
    for (const auction of auctions)
      await eventually('others have its auctions', async () => (await homeOf(auction)) !== ids[2], WITHIN_MS)
    expect(await states()).to.have.members(['alive', 'alive', 'left'])
  })

  it('says that the log is away if a node would begin a cluster, and ends', async () => {
    const url = `postgres://vendue:${encodeURIComponent(PASSWORD)}@127.0.0.1:1/vendue`
    const { code, stderr } = await vendue(home, ['cluster', 'init', '--name', 'four'], {
      env: { VENDUE_SHARED_LOG: url },
    })
    expect(code, stderr).to.equal(3)
    expect(stderr).to.contain('no PostgreSQL that takes writes answers').and.contain('127.0.0.1:1')
    expect(stderr).not.to.contain(PASSWORD)
  })

  it('shows the password of the log nowhere', () => {
    for (const { options, output } of nodes) {
      expect(output, options.name).to.have.length.above(0)
      for (const form of [PASSWORD, encodeURIComponent(PASSWORD)]) expect(output, options.name).not.to.contain(form)
    }
  })
})

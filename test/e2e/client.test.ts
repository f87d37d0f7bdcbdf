import { expect } from 'chai'
import { type AcceptedBid, type ConnectionState, createClient, type VendueClient } from 'vendue/client'
import { eventually } from '../support/eventually.js'
import { NodeProcess, untilConnected } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const PORTS = ['--grape-port', '0', '--dht-port', '0', '--http-port', '0']

describe('a client of two gateways, each of a node of its own', () => {
  const { home, remove } = makeTempHome()
  const nodes: NodeProcess[] = []
  const clients: VendueClient[] = []
  let urls: string[] = []

  const start = async (name: string): Promise<string> => {
    const node = await NodeProcess.start({
      home,
      name,
      args: PORTS,
      env: { VENDUE_GATEWAY: 'yes', VENDUE_MESH: 'client-test' },
    })
    nodes.push(node)
    return eventually(`${name} says where it serves`, () => /http {3}(http:\S+) \(auth open/.exec(node.output)?.[1])
  }
  const clientOf = (user: string, gateways: readonly string[]) => {
    const client = createClient({ gateways, user })
    clients.push(client)
    return client
  }

  before(async () => {
    urls = [await start('home'), await start('front'), await start('other')]
    await untilConnected(nodes)
  })

  after(async () => {
    for (const client of clients) client.close()
    for (const node of nodes) await node.end('SIGKILL')
    remove()
  })

  it('loses no acknowledged bid, bids nothing twice and misses no event when one is killed', async () => {
    const [homeUrl, frontUrl, otherUrl] = urls as [string, string, string]
    const seller = clientOf('sam', [homeUrl])
    const opened = await seller.open({ title: 'Lot', start_price: '1', currency: 'EUR', increment: '1' })
    if (opened.status !== 'accepted') throw new Error(opened.reason)
    const id = opened.auction_id
    // A maximum of somebody else's answers each bid: one bidder can go on alone.
    const rival = await clientOf('ben', [homeUrl]).bid(id, '1000000', { kind: 'max' })
    expect(rival.status).to.equal('accepted')

    const anna = clientOf('anna', [frontUrl, otherUrl])
    const states: ConnectionState[] = []
    anna.on('connection', (state) => states.push(state))
    await eventually('its gateways know of the auction', async () => {
      for (const url of [frontUrl, otherUrl]) if ((await clientOf('look', [url]).show(id)).seq < 2) return false
      return true
    })
    const seqs: number[] = []
    const watch = await anna.watch(id, { fromSeq: 1 })
    watch.on('event', ({ seq }) => seqs.push(seq))
    const catalogue: number[] = []
    anna.watchAll().on('event', ({ auction_id, seq }) => {
      if (auction_id === id) catalogue.push(seq)
    })
    await eventually('it is online', () => states.at(-1)?.state === 'online')

    const acknowledged: AcceptedBid[] = []
    let amount = 1
    const bidding = async (count: number) => {
      for (let i = 0; i < count; i++) {
        amount += 3
        const outcome = await anna.bid(id, String(amount))
        // Two streams of bids: one may be overtaken by the other's.
        if (outcome.status === 'accepted') acknowledged.push(outcome)
        else expect(outcome.code).to.equal('BID_TOO_LOW')
      }
    }
    const all = Promise.all([bidding(60), bidding(60), bidding(60)])
    await eventually('bids are acknowledged', () => acknowledged.length > 20)
    nodes[1]?.signal('SIGKILL')
    const before = acknowledged.length
    await all
    expect(before).to.be.lessThan(150)
    expect(acknowledged.length).to.be.greaterThan(before)
    expect(states.some(({ state, gateway }) => state === 'online' && gateway === otherUrl)).to.equal(true)

    const closed = await seller.closeAuction(id)
    if (closed.status !== 'accepted') throw new Error(closed.reason)
    const stored: string[] = []
    for (let next: number | null | undefined; next !== null; ) {
      const page: Awaited<ReturnType<VendueClient['history']>> = await seller.history(id, {
        limit: 100,
        ...(next !== undefined && { beforeSeq: next }),
      })
      stored.push(...page.bids.map(({ bid_id }) => bid_id))
      next = page.next
    }
    expect(stored).to.include.members(acknowledged.map(({ command_id }) => command_id))
    expect(new Set(stored).size).to.equal(stored.length)
    // Each bid has been settled: none stands that was not acknowledged, but the rival's.
    expect(stored.length).to.equal(acknowledged.length + 1)
    await eventually('all events are heard', () => seqs.length >= closed.seq)
    expect(seqs.slice(0, closed.seq)).to.deep.equal(Array.from({ length: closed.seq }, (_, i) => i + 1))
    // The other gateway's node has a list of its own: it goes on by each auction's seq there.
    await eventually('the catalogue is heard', () => (catalogue.at(-1) ?? 0) >= closed.seq)
    expect(catalogue.length).to.be.greaterThan(40)
    // What is revealed after the close may have come over one of the two only.
    const heard = catalogue.filter((seq) => seq <= closed.seq)
    expect(heard).to.deep.equal(seqs.slice(closed.seq - heard.length, closed.seq))
  })

  it('counts down by the gateway’s clock', async () => {
    const [homeUrl] = urls as [string]
    const client = clientOf('anna', [homeUrl])
    client.connect()
    await eventually('the clock is set', () => (client.clock.uncertaintyMs ?? 1_000) < 100)
    const opened = await client.open({
      title: 'Lot',
      start_price: '1',
      currency: 'EUR',
      closes_in_seconds: 60,
    })
    if (opened.status !== 'accepted') throw new Error(opened.reason)
    const left = client.clock.remainingMs(opened.auction.closes_at) ?? 0
    expect(left).to.be.greaterThan(50_000).and.at.most(60_100)
  })
})

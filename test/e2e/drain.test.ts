import { once } from 'node:events'
import { expect } from 'chai'
import { WebSocket } from 'ws'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { CommandIds } from '../../src/application/gateway/command-ids.js'
import { eventually } from '../support/eventually.js'
import { NodeProcess } from '../support/node-process.js'
import { makeTempHome } from '../support/temp-home.js'

const BIDDERS = 100
/** What may become of a bid while a gateway stops, beside being accepted: each says what to do. */
const CLEAR = new Set(['STOPPING', 'BID_TOO_LOW', 'ALREADY_LEADING', 'OUTCOME_UNKNOWN', 'BUSY'])

interface Bid {
  readonly id: string
  readonly amount: number
  readonly user: string
}

describe('a node that is stopped while it serves 200 bidders', () => {
  const { home, remove } = makeTempHome()
  let node: NodeProcess
  let auction: string
  let amount = 1
  let stopped = false
  const ids = new CommandIds({ clock: systemClock, random: systemRandom })
  const acknowledged = new Map<string, number>()
  const refused = new Map<string, string>()
  const unanswered = new Map<string, Bid>()

  const nextBid = (user: string): Bid => {
    amount += 1
    // The id that the gateway would make for this bidder, which it takes as it is.
    return { id: ids.of('bid', undefined, { id: `guest:${user}`, name: user }), amount, user }
  }
  const urlOf = () => eventually('it says where', () => /http {3}(http:\S+)/.exec(node.output)?.[1])
  const start = () =>
    NodeProcess.start({
      home,
      name: 'main',
      args: ['--grape-port', '0', '--dht-port', '0', '--http-port', '0'],
      env: { VENDUE_GATEWAY: 'yes' },
    })

  const overHttp = async (url: string, { id, amount: sum, user }: Bid): Promise<void> => {
    const response = await fetch(`${url}/api/v1/auctions/${auction}/bids`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ amount: sum, user_id: user, bid_id: id }),
    })
    const body = (await response.json()) as { bid_id?: string; seq?: number; code?: string }
    if (response.status === 201) acknowledged.set(id, body.seq ?? 0)
    else refused.set(id, body.code ?? `HTTP ${response.status}`)
  }

  before(async () => {
    node = await start()
    const terms = { title: 'Lot', currency: 'EUR', start: '1', increment: '1' }
    auction = (await node.api.open({ commandId: 'cmd_drain', ...terms })).outcome.auctionId
  })

  after(async () => {
    await node?.end()
    remove()
  })

  it('answers each bid that it takes, says why to the others, and a retry settles the rest', async () => {
    const url = await urlOf()
    const httpBidder = async (user: string) => {
      while (!stopped) {
        const bid = nextBid(user)
        // A connection that is refused or cut says nothing of the bid.
        await overHttp(url, bid).catch(() => {
          unanswered.set(bid.id, bid)
          stopped = true
        })
        if (refused.get(bid.id) === 'STOPPING') return
      }
    }
    const connect = async (user: string) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?user_id=${user}`)
      await once(socket, 'open')
      socket.on('error', () => {})
      return { user, socket }
    }
    const socketBidder = async ({ user, socket }: { user: string; socket: WebSocket }) => {
      const send = () => {
        const bid = nextBid(user)
        unanswered.set(bid.id, bid)
        const message = { type: 'place_bid', auction_id: auction, amount: bid.amount, bid_id: bid.id }
        socket.send(JSON.stringify(message))
      }
      socket.on('message', (data) => {
        const { type, bid_id, client_id, seq, code } = JSON.parse(data.toString())
        const id = client_id ?? bid_id
        if (type === 'bid_accepted') acknowledged.set(id, seq)
        else if (type === 'bid_rejected' || type === 'bid_unknown') refused.set(id, code)
        else return
        unanswered.delete(id)
        if (code !== 'STOPPING') send()
      })
      send()
      await once(socket, 'close')
    }
    const numbers = Array.from({ length: BIDDERS }, (_, i) => i)
    const connected = await Promise.all(numbers.map((i) => connect(`s${i}`)))
    const bidders = [...numbers.map((i) => httpBidder(`h${i}`)), ...connected.map(socketBidder)]
    await eventually('many are acknowledged', () => acknowledged.size > 300)
    expect(await node.end('SIGTERM')).to.equal(0)
    stopped = true
    await Promise.all(bidders)

    expect([...new Set(refused.values())].filter((code) => !CLEAR.has(code))).to.deep.equal([])
    node = await start()
    const before = await storedBids(node, auction)
    expect([...acknowledged.keys()].filter((id) => !before.has(id))).to.deep.equal([])
    for (const [id, seq] of acknowledged) expect(before.get(id)).to.equal(seq)
    // Nothing was done of what was refused.
    expect([...refused].filter(([id, code]) => code !== 'OUTCOME_UNKNOWN' && before.has(id))).to.deep.equal([])
    const again = await urlOf()
    for (const bid of unanswered.values()) {
      await overHttp(again, bid)
      if (before.has(bid.id)) expect(acknowledged.get(bid.id)).to.equal(before.get(bid.id))
    }
  })
})

async function storedBids({ api }: NodeProcess, auction: string): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (let beforeSeq: number | undefined; ; ) {
    const request = { auction, limit: 1_000, ...(beforeSeq !== undefined && { beforeSeq }) }
    const { bids } = await api.history(request)
    for (const { bidId, seq } of bids) found.set(bidId, seq)
    const last = bids.at(-1)
    if (!last) return found
    beforeSeq = last.seq
  }
}

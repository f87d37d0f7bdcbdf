import { expect } from 'chai'
import { PolledEventFeed } from '../../src/application/gateway/polled-event-feed.js'
import { answerTo } from '../../src/application/submissions/submission.js'
import type { EventFeed, FeedBatch } from '../../src/ports/node/event-feed.js'
import { eventually } from '../support/eventually.js'
import { ManualTime } from '../support/manual-time.js'
import { MemoryNetwork } from '../support/memory-network.js'
import { MemoryNode } from '../support/memory-node.js'

/** More than is kept in memory: who is this far behind has to be read the log. */
const MANY_BIDS = 700
const BIDDERS = [0, 1].map((i) => ({ id: `node_${i}`, name: `B${i}` }))

const FEEDS: readonly (readonly [kind: string, of: (node: MemoryNode) => EventFeed])[] = [
  ['pushed in the node’s own process', (node) => node.services.parts.eventFeed],
  ['asked of a node elsewhere', (node) => new PolledEventFeed({ api: node.api })],
]

for (const [kind, of] of FEEDS) {
  describe(`the events of a node, ${kind}`, function () {
    this.timeout(20_000)
    let node: MemoryNode
    let feed: EventFeed
    let auctionId: string
    let ended: AbortController
    let following: Promise<void>[]

    beforeEach(async () => {
      ended = new AbortController()
      following = []
      const time = new ManualTime()
      node = await new MemoryNode({ name: 'home', network: new MemoryNetwork(), time }).start()
      feed = of(node)
      auctionId = await open(0)
    })

    afterEach(async () => {
      ended.abort()
      await node.stop()
      await Promise.allSettled(following)
    })

    const open = async (n: number) => {
      const terms = { title: `Lot ${n}`, currency: 'EUR', start: '1', increment: '0.01' }
      return (await node.api.open({ commandId: `cmd_feed000${n}`, ...terms })).outcome.auctionId
    }

    const bid = (i: number, auction = auctionId) => {
      const bidder = BIDDERS[i % 2] as (typeof BIDDERS)[number]
      const commandId = `bid_${auction.slice(4, 12)}${String(i).padStart(6, '0')}`
      const command = {
        type: 'PlaceBid',
        auctionId: auction,
        commandId,
        bidder,
        kind: 'plain',
        amount: 100 + i,
      } as const
      const house = node.services.parts.auctionHouse
      return answerTo({ command }, (submission) => house.enqueue(submission))
    }

    /** One commit. */
    const bids = (from: number, count: number) => Promise.all(Array.from({ length: count }, (_, i) => bid(from + i)))

    /** "auction seq" of all that is heard past a cursor, and the cursor behind each. */
    function follow(cursor: string, pace: (batch: FeedBatch) => Promise<void> | null = () => null) {
      const heard: { what: string; cursor: string }[] = []
      const hear = (batch: FeedBatch) => {
        for (const i of batch.events.keys())
          heard.push({ what: `${batch.auctionId} ${batch.firstSeq + i}`, cursor: batch.cursor(i + 1) })
        return pace(batch)
      }
      following.push(feed.follow(cursor, hear, ended.signal))
      return heard
    }

    const seqs = (heard: readonly { what: string }[]) => heard.map(({ what }) => Number(what.split(' ')[1]))
    const upTo = (last: number, first = 2) => Array.from({ length: last - first + 1 }, (_, i) => first + i)

    it('begin where they were, and come in order, each once', async () => {
      const heard = follow(await feed.now())
      for (let i = 0; i < 5; i++) await bid(i)
      await bids(5, 20)
      await eventually('all were heard', () => heard.length === 25)
      expect(seqs(heard)).to.deep.equal(upTo(26))
    })

    it('wait for who is slow, who misses nothing for it', async () => {
      let goOn = () => {}
      const gate = new Promise<void>((resolve) => {
        goOn = resolve
      })
      let busy = 0
      let most = 0
      const heard = follow(await feed.now(), async () => {
        busy += 1
        most = Math.max(most, busy)
        await gate
        busy -= 1
      })
      for (let i = 0; i < MANY_BIDS; i++) await bid(i)
      expect(heard, 'the rest waits').to.have.length(1)
      goOn()
      await eventually('all were heard', () => heard.length >= MANY_BIDS)
      expect(seqs(heard)).to.deep.equal(upTo(MANY_BIDS + 1))
      expect(most, 'one at a time').to.equal(1)
    })

    it('go on past any cursor, in the middle of a commit too', async () => {
      const heard = follow(await feed.now())
      await bids(0, 4)
      const other = await open(1)
      await eventually('all were heard', () => heard.length === 5)
      expect(heard.at(-1)?.what).to.equal(`${other} 1`)
      for (const [i, { cursor }] of heard.entries()) {
        const again = follow(cursor)
        const rest = heard.slice(i + 1)
        await eventually('the rest was heard', () => again.length === rest.length)
        expect(again).to.deep.equal(rest)
      }
    })

    it('end when nobody wants them any more', async () => {
      const heard = follow(await feed.now())
      await bid(0)
      await eventually('it was heard', () => heard.length === 1)
      ended.abort()
      await bid(1)
      await following[0]
      expect(heard).to.have.length(1)
    })

    it('refuse a cursor that is none of theirs', async () => {
      const error = await feed.follow('nonsense', () => null, ended.signal).catch((reason) => reason)
      expect(error).to.include({ code: 'INVALID_INPUT', field: 'cursor' })
    })
  })
}

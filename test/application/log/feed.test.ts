import { expect } from 'chai'
import type { FeedEntry, FeedStart } from '../../../src/application/log/feed.js'
import { answerTo } from '../../../src/application/submissions/submission.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { MemoryNetwork } from '../../support/memory-network.js'
import { MemoryNode } from '../../support/memory-node.js'

/** More than is kept in memory: a reader this far behind has to read the log. */
const MANY_BIDS = 600
const BIDDERS = [0, 1].map((i) => ({ id: `node_${i}`, name: `B${i}` }))

describe('the feed', () => {
  let node: MemoryNode
  let stopAll: AbortController

  beforeEach(async () => {
    stopAll = new AbortController()
    node = await new MemoryNode({
      name: 'home',
      network: new MemoryNetwork(),
      time: new ManualTime(),
    }).start()
  })

  afterEach(async () => {
    stopAll.abort()
    await node.stop()
  })

  const open = async (n: number) =>
    (
      await node.api.open({
        commandId: `cmd_feed000${n}`,
        title: `Lot ${n}`,
        currency: 'EUR',
        start: '1',
        increment: '0.01',
      })
    ).outcome.auctionId

  const house = () => node.services.parts.auctionHouse

  async function bid(auctionId: string, from: number, count: number): Promise<void> {
    for (let i = from; i < from + count; i++) {
      const bidder = BIDDERS[i % 2] as (typeof BIDDERS)[number]
      const commandId = `bid_${auctionId.slice(4, 12)}${String(i).padStart(6, '0')}`
      const command = { type: 'PlaceBid', auctionId, commandId, bidder, kind: 'plain', amount: 100 + i } as const
      await answerTo({ command }, (submission) => house().enqueue(submission))
    }
  }

  let reading = 0

  /** Collects what a reader sees who follows the log; `pace` runs before each entry is taken. */
  function listen(start: FeedStart, pace: () => Promise<void> = () => Promise.resolve()): FeedEntry[] {
    const feed = node.services.parts.feed
    const seen: FeedEntry[] = []
    const run = async () => {
      reading += 1
      let cursor = start
      while (!stopAll.signal.aborted) {
        const { published } = feed
        const page = await feed.page(cursor)
        for (const entry of page) {
          cursor = behind(cursor, entry)
          seen.push(entry)
          await pace()
        }
        if (page.length === 0) await feed.changed(published, stopAll.signal)
      }
      reading -= 1
    }
    void run()
    return seen
  }

  function behind(cursor: FeedStart, { position, firstSeq, events }: FeedEntry): FeedStart {
    if ('afterPosition' in cursor) return { afterPosition: position }
    return { auctionId: cursor.auctionId, fromSeq: firstSeq + events.length }
  }

  function seqs(entries: readonly FeedEntry[]): number[] {
    return entries.flatMap(({ firstSeq, events }) => events.map((_, i) => firstSeq + i))
  }

  it('gives one auction from a seq on: first what is there, then what comes, nothing twice', async () => {
    const auctionId = await open(1)
    await bid(auctionId, 0, 10)
    const seen = listen({ auctionId, fromSeq: 4 })
    await bid(auctionId, 10, 5)
    await settle()
    expect(seqs(seen)).to.deep.equal(Array.from({ length: 13 }, (_, i) => i + 4))
  })

  it('gives all auctions after a position, in position order', async () => {
    const first = await open(1)
    const second = await open(2)
    const seen = listen({ afterPosition: 1 })
    await Promise.all([bid(first, 0, 20), bid(second, 0, 20)])
    await settle()
    expect(seen.map(({ position }) => position)).to.deep.equal(Array.from({ length: 41 }, (_, i) => i + 2))
  })

  it('leaves out other auctions for who follows one', async () => {
    const first = await open(1)
    const second = await open(2)
    const seen = listen({ auctionId: first, fromSeq: 1 })
    await Promise.all([bid(first, 0, 3), bid(second, 0, 3)])
    await settle()
    expect(new Set(seen.map(({ auctionId }) => auctionId))).to.deep.equal(new Set([first]))
    expect(seqs(seen)).to.deep.equal([1, 2, 3, 4])
  })

  it('lets a slow reader fall behind and still gives it everything', async () => {
    const auctionId = await open(1)
    let open_ = () => {}
    const gate = new Promise<void>((resolve) => {
      open_ = resolve
    })
    const seen = listen({ auctionId, fromSeq: 1 }, () => gate)
    await bid(auctionId, 0, MANY_BIDS)
    expect(seen).to.have.length(1)
    open_()
    await settle(100)
    expect(seqs(seen)).to.deep.equal(Array.from({ length: MANY_BIDS + 1 }, (_, i) => i + 1))
  })

  it('lets go of a waiting reader when the signal aborts', async () => {
    await open(1)
    listen({ afterPosition: 0 })
    await settle()
    expect(reading).to.equal(1)
    stopAll.abort()
    await settle()
    expect(reading).to.equal(0)
  })

  it('pages by cursor without gap or duplicate, also within a commit', async () => {
    const auctionId = await open(1)
    const first = await node.api.events({ waitMs: 0, auction: auctionId, fromSeq: 1, limit: 1 })
    let { cursor } = await node.api.events({ waitMs: 0 })
    await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        answerTo(
          {
            command: {
              type: 'PlaceBid',
              auctionId,
              commandId: `bid_page000${i}`,
              kind: 'plain',
              amount: 100 + i,
              bidder: BIDDERS[i % 2] as (typeof BIDDERS)[number],
            },
          },
          (submission) => house().enqueue(submission),
        ),
      ),
    )
    const seen: number[] = []
    for (let page = 0; page < 6; page++) {
      const { items, cursor: next } = await node.api.events({ waitMs: 0, cursor, limit: 3 })
      seen.push(...items.map(({ seq }) => seq))
      cursor = next
    }
    expect(first.items.map(({ event }) => event.type)).to.deep.equal(['AuctionOpened'])
    expect(seen).to.deep.equal([2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })
})

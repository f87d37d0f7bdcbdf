import { expect } from 'chai'
import { type NodeEvent, NodeEvents } from '../../services/node/node-events.js'
import type { OpenedAuction } from '../../src/domain/auction.js'
import type { EventFeed, FeedBatch } from '../../src/ports/node/event-feed.js'
import type { AuctionView } from '../../src/ports/node/node-answers.js'
import type { Append } from '../../src/ports/store/event-log.js'
import { BOB, CAROL } from '../support/auction-scenario.js'
import { CommitBuilder } from '../support/commit-builder.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'

/** Holds commits of auctions, and pushes them; a cursor is how many events come before it. */
class FakeFeed implements EventFeed {
  readonly #entries: Append[] = []
  #wake = () => {}
  /** Calls of `follow` that fail once they have pushed a commit. */
  failures = 0
  followed = 0

  push(...entries: Append[]): void {
    this.#entries.push(...entries)
    this.#wake()
  }

  async now(): Promise<string> {
    return '0'
  }

  async follow(cursor: string, hear: (batch: FeedBatch) => Promise<void> | null, signal: AbortSignal): Promise<void> {
    this.followed += 1
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    for (let place = Number(cursor); !signal.aborted; ) {
      const entry = this.#entries[place]
      if (entry === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      const { auctionId, firstSeq } = entry.commit
      const from = place
      await hear({
        auctionId,
        firstSeq,
        events: entry.events,
        disputed: async () => false,
        cursor: (taken) => String(from + taken),
      })
      place += 1
      if (this.failures > 0) {
        this.failures -= 1
        throw new Error('the node is away')
      }
    }
  }
}

describe('the events of an embedded node', () => {
  const auction = new CommitBuilder()
  const opening = auction.open()
  const bids = [BOB, CAROL, BOB].map((bidder, i) => auction.commit(auction.bid(bidder, 10_000 * (i + 1))))
  let feed: FakeFeed
  let events: NodeEvents

  beforeEach(() => {
    feed = new FakeFeed()
    const show = async () =>
      ({ auctionId: auction.auctionId, state: bids.at(-1)?.state as OpenedAuction }) as AuctionView
    const api = { show, history: async () => ({ bids: [], next: null }) as never }
    events = new NodeEvents({ api: () => api, feed: () => feed, nodeId: () => 'node_other', logger: silentLogger })
  })
  afterEach(async () => {
    events.stop()
    await events.stopped
  })

  it('are pushed to listeners, each once, even if the feed fails in between', async () => {
    const heard: number[] = []
    events.on('auction_opened', ({ seq }) => heard.push(seq))
    events.on('bid_placed', ({ seq }) => heard.push(seq))
    feed.failures = 2
    await events.start()
    feed.push(opening, ...bids)
    await eventually('all are heard', () => heard.length === 4)
    expect(heard).to.deep.equal([1, 2, 3, 4])
    expect(feed.followed).to.equal(3)
  })

  it('wait for an iterator that is slow, and end if it leaves', async () => {
    const taken: NodeEvent[] = []
    feed.push(opening, ...bids)
    for await (const event of events.iterate()) {
      taken.push(event)
      await new Promise((resolve) => setImmediate(resolve))
      if (taken.length === 3) break
    }
    expect(taken.map(({ seq, own }) => [seq, own])).to.deep.equal([
      [1, false],
      [2, false],
      [3, false],
    ])
  })

  it('end for an iterator that was closed before it was read', async () => {
    const iterator = events.iterate()
    iterator.close()
    for await (const _ of iterator) expect.fail('nothing is read')
    expect(feed.followed).to.equal(0)
  })

  it('end for an iterator that is closed while it waits', async () => {
    const iterator = events.iterate()
    const read = (async () => {
      for await (const _ of iterator);
      return 'ended'
    })()
    await eventually('it follows', () => feed.followed === 1)
    iterator.close()
    expect(await read).to.equal('ended')
  })
})

import { expect } from 'chai'
import { OwnCopies } from '../../../src/application/cluster/own-copies.js'
import { PublishingEventLog } from '../../../src/application/log/publishing-event-log.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../../src/ports/store/outcome-repository.js'
import { ALICE, BOB } from '../../support/auction-scenario.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { openMemoryStore } from '../../support/memory/memory-store.js'
import { silentLogger } from '../../support/silent-logger.js'

const AUCTION = 'auc_1'

describe('a home’s own copies in a cluster', () => {
  it('keep nobody waiting for commits that came after the call', async () => {
    const stored: (() => void)[] = []
    const copies = new OwnCopies({
      eventLog: {
        append: () => new Promise((resolve) => stored.push(() => resolve(1))),
        read: () => Promise.resolve([]),
      },
      handovers: { keep: () => Promise.resolve() },
      outcomes: { find: () => Promise.resolve(new Map()) },
      timers: new ManualTime(),
      logger: silentLogger,
    })
    const give = (firstSeq: number) => copies.store({ commit: { auctionId: AUCTION, firstSeq } } as Append)
    const heard: string[] = []
    const wait = (name: string) => void copies.settled(AUCTION).then(() => heard.push(name))
    wait('nothing given')
    give(1)
    give(2)
    wait('two given')
    give(3)
    wait('three given')
    await settle()
    expect(heard).to.deep.equal(['nothing given'])
    stored.shift()?.()
    await settle()
    expect(heard).to.deep.equal(['nothing given'])
    stored.shift()?.()
    await settle()
    expect(heard).to.deep.equal(['nothing given', 'two given'])
    stored.shift()?.()
    await settle()
    expect(heard).to.deep.equal(['nothing given', 'two given', 'three given'])
    expect(copies.size).to.equal(0)
  })

  it('has all answers of a commit, even if one of them has come another way', async () => {
    const time = new ManualTime()
    const store = openMemoryStore()
    const { outcomes, handovers } = store
    const eventLog = new PublishingEventLog(store.eventLog)
    const copies = new OwnCopies({ eventLog, handovers, outcomes, timers: time, logger: silentLogger })
    const auction = new CommitBuilder()
    copies.store(auction.open())
    await settle()
    const entry = auction.commit(auction.bid(ALICE, 8_000), auction.bid(BOB, 9_000))
    const [first, second] = entry.outcomes as [RecordedOutcome, RecordedOutcome]
    await outcomes.record([first])
    copies.store(entry)
    await settle()
    await time.advance(1_000)
    await copies.settled(auction.auctionId)
    const ids = [first, second].map(({ outcome }) => outcome.commandId)
    expect([...(await outcomes.find(ids)).keys()]).to.have.members(ids)
    expect((await store.auctions.find(auction.auctionId))?.head).to.deep.equal(auction.head)
  })

  it('have what a home keeps beside a commit, even if the commit has come another way before', async () => {
    const time = new ManualTime()
    const store = openMemoryStore()
    const { outcomes, handovers, secrets } = store
    const eventLog = new PublishingEventLog(store.eventLog)
    const copies = new OwnCopies({ eventLog, handovers, outcomes, timers: time, logger: silentLogger })
    const auction = new CommitBuilder()
    copies.store(auction.open())
    await settle()
    const entry = auction.commit(auction.bid(ALICE, 8_000))
    const secret = { secrets: { reserve: null, leaderMax: 8_000 }, sealed: [] }
    const { commit, prevHash, events, state } = entry
    // As a peer's push brings it.
    await eventLog.append({ commit, prevHash, events, state })
    copies.store({ ...entry, secret })
    await settle()
    await time.advance(1_000)
    await copies.settled(auction.auctionId)
    const [answer] = entry.outcomes as [RecordedOutcome]
    const id = answer.outcome.commandId
    expect((await outcomes.find([id])).get(id)).to.deep.equal(answer)
    expect((await secrets.secrets(auction.auctionId))?.leaderMax).to.equal(8_000)
  })
})

import { expect } from 'chai'
import { OwnCopies } from '../../../src/application/cluster/own-copies.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import { ManualTime, settle } from '../../support/manual-time.js'
import { silentLogger } from '../../support/silent-logger.js'

const AUCTION = 'auc_1'

describe('the own copies of a home in a cluster', () => {
  it('are there for whoever waits once those are that were given before, however many come after', async () => {
    const stored: (() => void)[] = []
    const copies = new OwnCopies({
      eventLog: {
        append: () => new Promise((resolve) => stored.push(() => resolve(1))),
        read: () => Promise.resolve([]),
      },
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
})

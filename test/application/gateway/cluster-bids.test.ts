import { expect } from 'chai'
import { systemClock } from '../../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../../src/adapters/system/system-random.js'
import { AuctionFactsCache } from '../../../src/application/gateway/auction-facts.js'
import { BidDesk } from '../../../src/application/gateway/bid-desk.js'
import { Bidders } from '../../../src/application/gateway/bidders.js'
import { CommandIds } from '../../../src/application/gateway/command-ids.js'
import { HomeBreakers } from '../../../src/application/gateway/home-breakers.js'
import { Turns } from '../../../src/application/gateway/turns.js'
import type { Caller } from '../../../src/ports/accounts/caller.js'
import { NO_AUDIT } from '../../../src/ports/audit/audit.js'
import type { NodeApi } from '../../../src/ports/node/node-api.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { given } from '../../support/auction-scenario.js'

const AUCTION = `auc_${'0'.repeat(26)}`
const KIM: Caller = { party: { id: 'guest:kim', name: 'Kim' }, roles: ['bidder'], scopes: ['bid'] } as never

describe('bids through a gateway, whose home keeps failing', () => {
  let breakers: HomeBreakers
  let asked: number

  beforeEach(() => {
    breakers = new HomeBreakers({ resetMs: 3_600_000 })
    asked = 0
  })
  afterEach(() => breakers.stop())

  function deskOf({ inCluster }: { inCluster: boolean }): BidDesk {
    const state = given().auction
    const cluster = inCluster ? { key: 'key', since: 1 } : null
    const api = {
      show: async () => ({ auctionId: AUCTION, state: { ...state, cluster } }),
      bid: async () => {
        asked += 1
        throw new NodeError('HOME_UNREACHABLE', 'nothing was done')
      },
    } as unknown as NodeApi
    const metrics = { bid: () => {}, bidFailed: () => {}, turn: { observe: () => {} }, forTurn: () => {} } as never
    const facts = new AuctionFactsCache({ api })
    const deps = { api, facts, breakers, metrics, clock: systemClock }
    return new BidDesk({
      audit: NO_AUDIT,
      ...deps,
      bidders: new Bidders({ api, facts, pseudonyms: null }),
      commandIds: new CommandIds({ clock: systemClock, random: systemRandom }),
      turns: new Turns(deps),
    })
  }

  const bidOften = async (desk: BidDesk) => {
    for (let i = 0; i < 20; i++) {
      const bid = desk.bid('ws', () => KIM, { auction: AUCTION, from: '127.0.0.1', kind: 'plain', amount: '10' })
      expect(await bid.catch(({ code }) => code)).to.equal('HOME_UNREACHABLE')
    }
  }

  it('are refused at once if only that home can answer', async () => {
    await bidOften(deskOf({ inCluster: false }))
    expect(asked).to.be.below(6)
    expect(breakers.open).to.equal(1)
  })

  it('go to the node each time in a cluster, because another home may answer the next one', async () => {
    await bidOften(deskOf({ inCluster: true }))
    expect(asked).to.equal(20)
    expect(breakers.open).to.equal(0)
  })
})

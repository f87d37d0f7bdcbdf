import { expect } from 'chai'
import type { AuctionExtended, AuctionTakenOver } from '../../src/domain/events.js'
import { MAX_MOVES } from '../../src/domain/evolve.js'
import { TAKEOVER_WINDOW_MS } from '../../src/domain/takeover.js'
import {
  A_KEY,
  ALICE,
  AuctionScenario,
  BOB,
  given,
  HOUR,
  MINUTE,
  openCommand,
  SECOND,
  SELLER,
  type Setup,
  T0,
} from '../support/auction-scenario.js'
import { bid, extended, itRefuses } from '../support/forged-events.js'

const CLUSTER = `${'C'.repeat(42)}A`
const HOME = { nodeId: SELLER.id, publicKey: A_KEY }
const NEXT = { nodeId: 'node_next', publicKey: `${'N'.repeat(42)}A` }
const THIRD = { nodeId: 'node_third', publicKey: `${'T'.repeat(42)}A` }
const SIGNATURE = `${'S'.repeat(85)}A`
const rotation = (letter: string) => ({ publicKey: `${letter.repeat(42)}A`, signature: SIGNATURE })
const SOFT = { windowMs: 3 * MINUTE, extensionMs: MINUTE, hardStopAt: null }

const ofCluster = (setup: Setup = {}) => new AuctionScenario().send({ ...openCommand(setup), cluster: CLUSTER })

function taken(overrides: Partial<AuctionTakenOver> = {}): AuctionTakenOver {
  return {
    type: 'AuctionTakenOver',
    at: T0,
    from: HOME,
    to: NEXT,
    why: 'home-dead',
    since: T0,
    keys: [],
    clusterSignature: SIGNATURE,
    ...overrides,
  }
}

/** At the scenario's time; the home was last heard of at `since`, milliseconds since the opening. */
function takeOver(auction: AuctionScenario, since = auction.now - T0, to = NEXT): AuctionScenario {
  const { now } = auction
  const { keys, why, clusterSignature } = taken()
  return auction.send({ type: 'TakeOver', now, to, why, keys, clusterSignature, since: T0 + since })
}

const endOf = ({ auction }: AuctionScenario) => (auction.closesAt ?? 0) - T0

describe('taking an auction over', () => {
  it('makes another node the home, and changes nothing else far from the end', () => {
    const auction = ofCluster({ closesAt: T0 + HOUR }).bid(ALICE, 7_500)
    const before = auction.auction
    takeOver(auction.at(10 * MINUTE))
    const { seq, at } = auction.auction
    expect(auction.raised).to.deep.equal([taken({ at, since: at })])
    expect(auction.auction).to.deep.equal({ ...before, seq, at, home: NEXT, moves: [seq] })
    expect(auction.bid(BOB, 8_000).standing).to.deep.equal(['Bob', 8_000])
  })

  describe('close to the end', () => {
    const ending = (setup: Setup = {}) => ofCluster({ closesAt: T0 + HOUR, softClose: SOFT, ...setup })

    it('moves the end to as far ahead as the soft close begins before it, in the same decision', () => {
      const auction = takeOver(ending().at(HOUR - SECOND), HOUR - 5 * SECOND)
      const at = T0 + HOUR - SECOND
      expect(auction.raised).to.deep.equal([
        taken({ at, since: T0 + HOUR - 5 * SECOND }),
        { type: 'AuctionExtended', at, closesAt: at + 3 * MINUTE, by: 'takeover', since: null, commandId: null },
      ])
    })

    it('leaves an end that lies far enough ahead', () => {
      expect(endOf(takeOver(ending().at(57 * MINUTE)))).to.equal(HOUR)
      expect(endOf(takeOver(ending().at(57 * MINUTE + 1)))).to.equal(HOUR + 1)
    })

    it('moves it by a minute if there is no soft close', () => {
      const softClose = null
      expect(endOf(takeOver(ending({ softClose }).at(HOUR - MINUTE)))).to.equal(HOUR)
      expect(endOf(takeOver(ending({ softClose }).at(HOUR - 1)))).to.equal(HOUR - 1 + TAKEOVER_WINDOW_MS)
    })

    it('moves one that has come, even if the terms give no time back', () => {
      const auction = takeOver(ending({ givesTimeBack: false }).at(HOUR + MINUTE), HOUR - MINUTE)
      expect(endOf(auction)).to.equal(HOUR + 4 * MINUTE)
      expect(auction.bid(ALICE, 7_500).standing).to.deep.equal(['Alice', 7_500])
    })

    it('gives back the lost time if that is more', () => {
      const auction = takeOver(ending().at(3 * HOUR), 30 * MINUTE)
      expect(endOf(auction)).to.equal(3 * HOUR + 30 * MINUTE)
    })

    it('never passes the hard stop, and leaves an end if that has come', () => {
      const softClose = { ...SOFT, hardStopAt: T0 + HOUR + MINUTE }
      expect(endOf(takeOver(ending({ softClose }).at(HOUR)))).to.equal(HOUR + MINUTE)
      expect(endOf(takeOver(ending({ softClose }).at(HOUR + MINUTE)))).to.equal(HOUR)
      expect(endOf(takeOver(ending({ softClose }).at(2 * HOUR)))).to.equal(HOUR)
    })

    it('moves none that is to begin yet, or that has no end', () => {
      const opensAt = T0 + HOUR - 2 * SECOND
      const scheduled = takeOver(ending({ opensAt, softClose: null }).at(HOUR - 3 * SECOND))
      expect(scheduled.auction).to.include({ status: 'scheduled', closesAt: T0 + HOUR })
      const late = takeOver(ending({ opensAt, softClose: null }).at(HOUR - SECOND))
      expect(endOf(late)).to.equal(HOUR - SECOND + TAKEOVER_WINDOW_MS)
      expect(late.start().auction.status).to.equal('open')
      expect(takeOver(ofCluster().at(HOUR)).auction.closesAt).to.equal(null)
    })

    it('lets nobody close before that', () => {
      const auction = takeOver(ending().at(HOUR + SECOND), HOUR - SECOND)
      expect(auction.end().rejection).to.deep.include({ code: 'NOT_DUE' })
      expect(auction.at(HOUR + SECOND + 3 * MINUTE).end().auction.status).to.equal('closed')
    })
  })

  it('goes on after the close, so that its maxima are opened', () => {
    const auction = ofCluster({ closesAt: T0 + HOUR })
      .max(ALICE, 9_000)
      .max(BOB, 8_000)
      .at(HOUR)
      .end()
    takeOver(auction.at(HOUR + SECOND))
    expect(auction.auction).to.include({ status: 'closed', closesAt: T0 + HOUR, revealed: 0 })
    expect(auction.reveal().auction).to.deep.include({ status: 'closed', revealed: 1, home: NEXT })
  })

  it('moves one that was cancelled, whose seller may still ask for the answer', () => {
    expect(takeOver(ofCluster().cancel()).auction).to.deep.include({ status: 'cancelled', home: NEXT })
  })

  it('happens as often as homes die', () => {
    const auction = ofCluster()
    for (let i = 0; i < 3 * MAX_MOVES; i++) takeOver(auction, 0, i % 2 === 0 ? NEXT : HOME)
    expect(auction.rejection).to.equal(null)
    expect(auction.auction.moves).to.deep.equal([3 * MAX_MOVES + 1])
  })

  const handOver = (auction: AuctionScenario, cluster: string | null, to = THIRD) =>
    auction.send({ type: 'HandOver', now: auction.now, to, cluster, consent: SIGNATURE })

  it('keeps what shows which cluster it is of, and drops what lies between', () => {
    const auction = handOver(given(), CLUSTER)
    expect(auction.auction.cluster).to.deep.equal({ key: CLUSTER, since: 2 })
    handOver(auction, CLUSTER, HOME)
    expect(auction.auction).to.deep.include({ cluster: { key: CLUSTER, since: 2 }, moves: [2, 3] })
    takeOver(auction)
    expect(auction.auction.moves).to.deep.equal([2, 4])
    handOver(auction, null)
    expect(auction.auction).to.deep.include({ cluster: null, moves: [2, 4, 5] })
  })

  it('by a newer key of the cluster makes all older keys invalid', () => {
    const { why, since, clusterSignature } = taken()
    const keys = [rotation('D'), rotation('E')]
    const auction = ofCluster().send({ type: 'TakeOver', now: T0, to: NEXT, why, since, keys, clusterSignature })
    expect(auction.auction).to.deep.include({ cluster: { key: keys[1]?.publicKey, since: 2 }, moves: [2] })
    expect(takeOver(auction, 0, HOME).auction.moves).to.deep.equal([2, 3])
  })
})

describe('evolve refuses', () => {
  const ended = () => ofCluster({ closesAt: T0 + HOUR, softClose: SOFT })
  const late = { at: T0 + HOUR, since: T0 + HOUR }
  const after = () => [...ended().events, taken(late)]
  const owed: Partial<AuctionExtended> = { at: late.at, closesAt: late.at + 3 * MINUTE, by: 'takeover' }
  const once = 'a late takeover extends the end, at once'
  itRefuses([
    ['a takeover of an auction of no cluster', () => given(), taken(), 'only an auction of a cluster'],
    ['a takeover from another node than the home', ofCluster, taken({ from: THIRD }), 'from its home'],
    [
      'a takeover from the home by another key',
      ofCluster,
      taken({ from: { ...HOME, publicKey: CLUSTER } }),
      'its home',
    ],
    ['a takeover by the home itself', ofCluster, taken({ to: HOME }), 'by another node'],
    ['a takeover before the last event', ended, taken({ at: T0 - 1 }), 'time does not run backwards'],
    ['a home that was heard of after the takeover', ended, taken({ since: T0 + 1 }), 'not after the takeover'],
    [
      'a home that was gone before the last event',
      ended,
      taken({ ...late, since: T0 - 1 }),
      'was there at the last event',
    ],
    ['more keys than a cluster has', ofCluster, taken({ keys: Array(65).fill(rotation('D')) }), '64 times at most'],
    ['a late takeover without its extension', after, bid({ at: late.at }), once],
    ['an extension after a late takeover that comes later', after, extended({ ...owed, at: late.at + 1 }), once],
    [
      'an extension after a late takeover that is too short',
      after,
      extended({ ...owed, closesAt: late.at + 1 }),
      'by as much',
    ],
    ['one that is too long', after, extended({ ...owed, closesAt: late.at + 4 * MINUTE }), 'by as much'],
    ['one for another reason', after, extended({ ...owed, by: 'soft-close' }), once],
    ['one that names a command', after, extended({ ...owed, commandId: 'cmd_1' }), 'a command of his'],
    ['another takeover before the extension', after, taken({ ...late, from: NEXT, to: THIRD }), 'comes first'],
    [
      'an extension by a takeover that there was not',
      ended,
      extended({ ...owed, at: T0 }),
      'by as much as it calls for',
    ],
    ['a takeover before the opening', null, taken(), 'the first event opens'],
  ])
})

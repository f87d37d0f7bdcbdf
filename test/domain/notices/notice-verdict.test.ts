import { expect } from 'chai'
import { type Listener, verdictOn } from '../../../src/domain/notices/notice-verdict.js'
import { ALICE, BOB, given, HOUR, MINUTE, T0 } from '../../support/auction-scenario.js'

const LISTENER: Listener = { off: new Set(), quiet: null, timeZone: 'UTC', inViewUntil: null, lastMovedAt: null }
const outbid = given({ closesAt: T0 + HOUR })
  .at(1)
  .bid(ALICE, 7_500)
  .at(2)
  .bid(BOB, 7_600)
const NOTICE = { kind: 'outbid', partyId: ALICE.id, at: T0 + 2 } as const
const judge = (listener: Partial<Listener>, now: number, notice: Parameters<typeof verdictOn>[0] = NOTICE) =>
  verdictOn(notice, outbid.auction, { ...LISTENER, ...listener }, now)

describe('whether a notice is sent', () => {
  it('is decided by what holds then: outbid while they do not lead, and until the end', () => {
    expect(judge({}, T0 + 3)).to.deep.equal({ do: 'send' })
    expect(judge({}, T0 + HOUR)).to.deep.equal({ do: 'drop', why: 'over' })
    expect(judge({}, T0 + 3, { ...NOTICE, partyId: BOB.id })).to.deep.equal({ do: 'drop', why: 'leads' })
  })

  it('is no for whoever had the lot in view when it happened, or later', () => {
    expect(judge({ inViewUntil: T0 + 2 }, T0 + 3)).to.deep.equal({ do: 'drop', why: 'in-view' })
    expect(judge({ inViewUntil: T0 + 1 }, T0 + 3)).to.deep.equal({ do: 'send' })
  })

  it('waits until ten minutes have passed since the last of its kind, and is no if that one said it', () => {
    expect(judge({ lastMovedAt: T0 - MINUTE }, T0 + 3)).to.deep.equal({ do: 'wait', until: T0 + 9 * MINUTE })
    expect(judge({ lastMovedAt: T0 + 2 }, T0 + 3)).to.deep.equal({ do: 'drop', why: 'already-said' })
  })

  it('waits until quiet hours are over, and after an outage until the morning', () => {
    const at11 = { from: 11 * 60, to: 13 * 60 }
    expect(judge({ quiet: at11 }, T0 + 3)).to.deep.equal({ do: 'wait', until: T0 + HOUR })
    const sold = given().at(1).bid(ALICE, 7_500).at(2).close().auction
    const won = { kind: 'won', partyId: ALICE.id, at: T0 + 2 } as const
    const fourInTheMorning = T0 + 16 * HOUR
    const morning = { do: 'wait', until: T0 + 19 * HOUR }
    expect(verdictOn(won, sold, LISTENER, fourInTheMorning)).to.deep.equal(morning)
    expect(verdictOn(won, sold, LISTENER, T0 + 19 * HOUR)).to.deep.equal({ do: 'send' })
    expect(verdictOn(won, sold, LISTENER, T0 + 99 * HOUR)).to.deep.equal({ do: 'drop', why: 'too-old' })
  })

  it('is decided ten minutes before the end as it is then', () => {
    const soon = { kind: 'ending-soon', partyId: BOB.id, at: T0 + MINUTE } as const
    expect(judge({}, T0 + MINUTE, soon)).to.deep.equal({ do: 'wait', until: T0 + 50 * MINUTE })
    expect(judge({}, T0 + 50 * MINUTE, soon)).to.deep.equal({ do: 'drop', why: 'leads' })
    expect(judge({}, T0 + 50 * MINUTE, { ...soon, partyId: ALICE.id })).to.deep.equal({ do: 'send' })
  })

  it('is no for a kind that is switched off', () => {
    expect(judge({ off: new Set(['outbid'] as const) }, T0 + 3)).to.deep.equal({ do: 'drop', why: 'off' })
  })
})

import { expect } from 'chai'
import { flatIncrement } from '../../src/domain/increments.js'
import { type Standing, type StandingInput, standingAfter } from '../../src/domain/pricing.js'

/** Start 75, one a step; what the leader holds, the reserve, and a new offer. */
function standing(
  held: number | null,
  kind: 'plain' | 'max',
  amount: number,
  reserve: number | null = null,
  increments: StandingInput['increments'] = flatIncrement(1),
): Standing {
  const secrets = { leaderMax: held, reserve: reserve === null ? null : { amount: reserve, salt: 'salt' } }
  return standingAfter({ startPrice: 75, increments, secrets, offer: { kind, amount } })
}

describe('standingAfter', () => {
  const met = { reserveMet: true }
  const leads = { leads: true, ...met }
  const answered = { leads: false, ...met }

  it('takes the first plain bid as the price', () => {
    expect(standing(null, 'plain', 90)).to.deep.equal({ price: 90, leaderMax: 90, ...leads })
  })

  it('starts a first maximum at the start price', () => {
    expect(standing(null, 'max', 90)).to.deep.equal({ price: 75, leaderMax: 90, ...leads })
  })

  it('takes a plain bid that leads as the price', () => {
    expect(standing(90, 'plain', 120)).to.deep.equal({ price: 120, leaderMax: 120, ...leads })
  })

  it('prices a maximum that leads one increment above the runner-up', () => {
    expect(standing(90, 'max', 120)).to.deep.equal({ price: 91, leaderMax: 120, ...leads })
  })

  it('never prices above the leading maximum', () => {
    const tens = flatIncrement(10)
    expect(standing(90, 'max', 95, null, tens)).to.deep.equal({ price: 95, leaderMax: 95, ...leads })
    expect(standing(90, 'plain', 85, null, tens)).to.deep.equal({ price: 90, leaderMax: 90, ...answered })
  })

  it('answers a lower offer of either kind by one increment', () => {
    for (const kind of ['plain', 'max'] as const) {
      expect(standing(90, kind, 80)).to.deep.equal({ price: 81, leaderMax: 90, ...answered })
    }
  })

  it('leaves an equal maximum to the earlier bidder, at that price', () => {
    for (const kind of ['plain', 'max'] as const) {
      expect(standing(90, kind, 90)).to.deep.equal({ price: 90, leaderMax: 90, ...answered })
    }
  })

  it('takes the increment of the runner-up’s band', () => {
    const bands = [
      { from: 0, step: 1 },
      { from: 100, step: 5 },
    ]
    expect(standing(99, 'max', 200, null, bands).price).to.equal(100)
    expect(standing(100, 'max', 200, null, bands).price).to.equal(105)
  })

  it('leaves the price alone below the reserve', () => {
    expect(standing(null, 'max', 99, 100)).to.deep.equal({
      price: 75,
      leaderMax: 99,
      leads: true,
      reserveMet: false,
    })
    expect(standing(90, 'plain', 80, 100)).to.deep.equal({
      price: 81,
      leaderMax: 90,
      leads: false,
      reserveMet: false,
    })
  })

  it('lifts the price to the reserve once a maximum reaches it', () => {
    expect(standing(null, 'max', 100, 100)).to.deep.equal({ price: 100, leaderMax: 100, ...leads })
    expect(standing(90, 'max', 150, 100)).to.deep.equal({ price: 100, leaderMax: 150, ...leads })
    expect(standing(110, 'max', 150, 100)).to.deep.equal({ price: 111, leaderMax: 150, ...leads })
  })

  it('stays exact at the end of what can be counted', () => {
    const top = Number.MAX_SAFE_INTEGER
    expect(standing(top, 'max', top, null, flatIncrement(top))).to.deep.equal({
      price: top,
      leaderMax: top,
      ...answered,
    })
  })
})

import { expect } from 'chai'
import fc from 'fast-check'
import { ServerClock } from '../../src/client/server-clock.js'
import { ManualTime } from '../support/manual-time.js'

const SERVER_AHEAD_MS = 3_600_000

describe('the clock of the gateway', () => {
  it('is the local clock until a gateway has answered', () => {
    const time = new ManualTime(1_000)
    const clock = new ServerClock({ time })
    expect(clock.now()).to.equal(1_000)
    expect(clock.uncertaintyMs).to.equal(null)
  })

  it('follows the shortest of several round trips, and is never off by more than half of it', () => {
    const trip = fc.record({
      there: fc.integer({ min: 0, max: 5_000 }),
      back: fc.integer({ min: 0, max: 5_000 }),
    })
    fc.assert(
      fc.property(fc.array(trip, { minLength: 1, maxLength: 8 }), (trips) => {
        const time = new ManualTime(1_000_000)
        const clock = new ServerClock({ time })
        let at = time.monotonicMs()
        for (const { there, back } of trips) {
          clock.note(at, at + there + SERVER_AHEAD_MS, at + there + back)
          at += there + back
        }
        const error = Math.abs(clock.now() - (time.now() + SERVER_AHEAD_MS))
        const shortest = Math.min(...trips.map(({ there, back }) => there + back))
        expect(clock.uncertaintyMs).to.equal(shortest / 2)
        expect(error).to.be.at.most(shortest / 2)
      }),
    )
  })

  it('forgets old round trips, so that a drift shows', () => {
    const time = new ManualTime(0)
    const clock = new ServerClock({ time })
    clock.note(0, 500, 0)
    for (let i = 0; i < 8; i++) clock.note(0, 1_005, 10)
    expect(clock.now()).to.equal(1_000)
  })

  it('forgets what the newest round trip contradicts: the machine slept, or a clock was set', () => {
    const time = new ManualTime(0)
    const clock = new ServerClock({ time })
    for (let i = 0; i < 8; i++) clock.note(0, 1, 2)
    expect(clock.now()).to.equal(0)
    // A slow one that fits leaves the better ones in place.
    clock.note(0, 300, 500)
    expect(clock.now()).to.equal(0)
    clock.note(0, SERVER_AHEAD_MS + 200, 500)
    expect(clock.now()).to.equal(SERVER_AHEAD_MS - 50)
    clock.note(0, SERVER_AHEAD_MS + 1, 2)
    expect(clock.now()).to.equal(SERVER_AHEAD_MS)
  })

  it('counts down to a time of the gateway, and stops at zero', async () => {
    const time = new ManualTime(0)
    const clock = new ServerClock({ time })
    clock.note(0, SERVER_AHEAD_MS, 0)
    const end = new Date(SERVER_AHEAD_MS + 10_000).toISOString()
    expect(clock.remainingMs(end)).to.equal(10_000)
    await time.advance(4_000)
    expect(clock.remainingMs(end)).to.equal(6_000)
    await time.advance(60_000)
    expect(clock.remainingMs(end)).to.equal(0)
    expect(clock.remainingMs(null)).to.equal(null)
  })
})

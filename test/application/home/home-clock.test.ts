import { expect } from 'chai'
import { CLOCK_DOUBT_MS, CLOCK_STEP_MS, HomeClock } from '../../../src/application/home/home-clock.js'
import { ManualTime } from '../../support/manual-time.js'
import { silentLogger } from '../../support/silent-logger.js'

const DAY_MS = 86_400_000

describe("a home's clock", () => {
  let time: ManualTime
  let offsetMs: number
  let warnings: string[]
  let clock: HomeClock

  beforeEach(() => {
    time = new ManualTime()
    offsetMs = 0
    warnings = []
    const machine = { now: () => time.now() + offsetMs, monotonicMs: () => time.monotonicMs() }
    const logger = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
    clock = new HomeClock({ clock: machine, logger })
  })

  for (const step of [DAY_MS, -DAY_MS]) {
    it(`goes on by the time that has passed when the machine's is set ${step > 0 ? 'ahead' : 'back'}, and says so`, async () => {
      const start = time.now()
      offsetMs = step
      await time.advance(17_000)
      expect(clock.now()).to.equal(start + 17_000)
      expect(clock.doubt).to.deep.equal({ aheadMs: step, countsInMs: CLOCK_DOUBT_MS })
      expect(warnings).to.have.length(1)
      offsetMs = 0
      expect(clock.now()).to.equal(time.now())
      expect(clock.doubt).to.equal(null)
      expect(warnings).to.have.length(2)
    })

    it(`takes a clock that has stayed ${step > 0 ? 'ahead' : 'back'} for five minutes for right`, async () => {
      offsetMs = step
      clock.now()
      await time.advance(CLOCK_DOUBT_MS - 1)
      expect(clock.now()).to.equal(time.now())
      await time.advance(1)
      expect(clock.now()).to.equal(time.now() + step)
      expect(clock.doubt).to.equal(null)
    })
  }

  it('begins anew to wait when the machine’s clock is set once more', async () => {
    offsetMs = DAY_MS
    clock.now()
    await time.advance(CLOCK_DOUBT_MS - 1)
    offsetMs = 2 * DAY_MS
    clock.now()
    await time.advance(CLOCK_DOUBT_MS - 1)
    expect(clock.now()).to.equal(time.now())
  })

  it('follows small steps and drift at once, without a word', async () => {
    for (let i = 0; i < 100; i++) {
      offsetMs += CLOCK_STEP_MS / 2
      expect(clock.now()).to.equal(time.now() + offsetMs)
    }
    expect(warnings).to.deep.equal([])
  })
})

import { expect } from 'chai'
import { DueTimes } from '../../../src/application/home/due-times.js'
import { ManualTime } from '../../support/manual-time.js'

const HOUR_MS = 3_600_000

describe('due times', () => {
  let time: ManualTime
  let offsetMs: number
  let fired: number[]
  let due: DueTimes

  beforeEach(() => {
    time = new ManualTime()
    offsetMs = 0
    fired = []
    const clock = { now: () => time.now() + offsetMs, monotonicMs: () => time.now() }
    due = new DueTimes({ clock, timers: time }, () => fired.push(clock.now()))
  })

  it('come on time, once', async () => {
    const at = time.now() + HOUR_MS
    due.set('auc_1', at)
    await time.advance(2 * HOUR_MS)
    expect(fired).to.deep.equal([at])
  })

  it('wait for a clock that was set back', async () => {
    const at = time.now() + 10_000
    due.set('auc_1', at)
    offsetMs = -5_000
    await time.advance(20_000)
    expect(fired).to.deep.equal([at])
  })

  it('come again later and later for what cannot be done, and soon again once it could', async () => {
    const tries = async (auctionId: string, ms: number) => {
      let count = 0
      const again = new DueTimes({ clock: time, timers: time }, () => {
        count += 1
        again.retry(auctionId)
      })
      again.set(auctionId, time.now())
      await time.advance(ms)
      again.clear()
      return count
    }
    expect(await tries('auc_1', 7_000), 'at 0, 1, 3 and 7 s').to.equal(4)
    expect(await tries('auc_1', HOUR_MS)).to.be.below(300)
  })

  it('come soon after a clock was set forward, and not when the time has passed by the timers', async () => {
    due.set('auc_1', time.now() + HOUR_MS)
    await time.advance(1_000)
    offsetMs = HOUR_MS
    await time.advance(15_000)
    expect(fired).to.have.length(1)
  })
})

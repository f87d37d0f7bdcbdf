import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { nextIncarnation } from '../../../src/adapters/system/next-incarnation.js'
import { MAX_INCARNATION_AHEAD_MS } from '../../../src/domain/limits.js'
import { makeTempDir } from '../../support/temp-dir.js'

describe('the incarnation of a start', () => {
  let dir: ReturnType<typeof makeTempDir>

  beforeEach(() => {
    dir = makeTempDir()
  })

  afterEach(() => dir.remove())

  const startAt = (now: number) => nextIncarnation(dir.path, { now: () => now, monotonicMs: () => 0 })

  it('is the time', () => {
    expect([startAt(1_000_000), startAt(1_000_001), startAt(9_000_000)]).to.deep.equal([
      1_000_000, 1_000_001, 9_000_000,
    ])
  })

  it('grows when the clock stands still, or was set back', () => {
    const starts = [startAt(5_000_000), startAt(5_000_000), startAt(1), startAt(2)]
    expect([...starts].sort((a, b) => a - b)).to.deep.equal(starts)
    expect(new Set(starts).size).to.equal(starts.length)
  })

  it('is the time again after a clock that was days ahead, which no peer has taken', () => {
    const now = Date.UTC(2030, 0, 1)
    startAt(now + 2 * MAX_INCARNATION_AHEAD_MS)
    expect(startAt(now)).to.equal(now)
    const hour = 3_600_000
    startAt(now + hour)
    expect(startAt(now + 1)).to.be.within(now + hour, now + MAX_INCARNATION_AHEAD_MS)
  })

  it('is the time again where what was remembered is damaged', () => {
    startAt(5_000_000)
    writeFileSync(join(dir.path, 'incarnation'), 'x')
    expect(startAt(6_000_000)).to.equal(6_000_000)
  })
})

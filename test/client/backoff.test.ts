import { expect } from 'chai'
import { Backoff } from '../../src/client/backoff.js'

describe('the backoff', () => {
  const delays = (random: number, count: number) => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1_000 }, () => random)
    return Array.from({ length: count }, () => backoff.nextMs())
  }

  it('doubles up to its bound, and stays there however often it is asked', () => {
    expect(delays(1, 6)).to.deep.equal([100, 200, 400, 800, 1_000, 1_000])
    expect(delays(1, 5_000).at(-1)).to.equal(1_000)
  })

  it('never waits less than half of it, so that clients spread', () => {
    expect(delays(0, 5)).to.deep.equal([50, 100, 200, 400, 500])
  })

  it('starts anew once it was reset', () => {
    const backoff = new Backoff({ baseMs: 100, maxMs: 1_000 }, () => 1)
    backoff.nextMs()
    backoff.nextMs()
    expect(backoff.attempts).to.equal(2)
    backoff.reset()
    expect(backoff.nextMs()).to.equal(100)
  })
})

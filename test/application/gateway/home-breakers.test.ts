import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { HomeBreakers } from '../../../src/application/gateway/home-breakers.js'
import { NodeError } from '../../../src/ports/node/node-api.js'

describe('breakers around homes', () => {
  const RESET_MS = 50
  let breakers: HomeBreakers
  let calls: number

  beforeEach(() => {
    breakers = new HomeBreakers({ resetMs: RESET_MS })
    calls = 0
  })

  afterEach(() => breakers.stop())

  const failing = (code: 'HOME_UNREACHABLE' | 'AUCTION_NOT_FOUND') => () => {
    calls += 1
    return Promise.reject(new NodeError(code, 'no'))
  }
  const codeOf = (home: string, call: () => Promise<unknown>) =>
    breakers
      .call(async () => home, call)
      .then(
        () => 'ok',
        (error: NodeError) => error.code,
      )

  it('answer at once for a home that keeps failing, and leave other homes alone', async () => {
    for (let i = 0; i < 20; i++)
      expect(await codeOf('a', failing('HOME_UNREACHABLE'))).to.equal('HOME_UNREACHABLE')
    expect(calls).to.be.below(6)
    expect(breakers.open).to.equal(1)
    expect(await codeOf('b', async () => 1)).to.equal('ok')
  })

  it('try again after a while, and forget a home that has come back', async () => {
    for (let i = 0; i < 10; i++) await codeOf('a', failing('HOME_UNREACHABLE'))
    await sleep(RESET_MS * 2)
    expect(await codeOf('a', async () => 1)).to.equal('ok')
    expect(breakers.open).to.equal(0)
    expect(await codeOf('a', async () => 1)).to.equal('ok')
  })

  it('do not mind errors that say nothing of the home', async () => {
    for (let i = 0; i < 20; i++)
      expect(await codeOf('a', failing('AUCTION_NOT_FOUND'))).to.equal('AUCTION_NOT_FOUND')
    expect(calls).to.equal(20)
  })

  it('ask for homes only once one has failed', async () => {
    await breakers.call(
      () => Promise.reject(new Error('asked')),
      async () => 1,
    )
  })
})

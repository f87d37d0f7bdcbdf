import { expect } from 'chai'
import { HomeBreakers } from '../../../src/application/gateway/home-breakers.js'
import { NodeError } from '../../../src/ports/node/node-error.js'
import { eventually } from '../../support/eventually.js'

describe('breakers around homes', () => {
  let breakers: HomeBreakers
  let calls: number

  beforeEach(() => {
    breakers = new HomeBreakers({ resetMs: 3_600_000 })
    calls = 0
  })

  afterEach(() => breakers.stop())

  const failing = (code: 'HOME_UNREACHABLE' | 'AUCTION_NOT_FOUND') => () => {
    calls += 1
    return Promise.reject(new NodeError(code, 'no'))
  }
  const codeOf = (home: string, call: () => Promise<unknown>) =>
    breakers.call(home, call).then(
      () => 'ok',
      (error: NodeError) => error.code,
    )

  it('answer at once for a home that keeps failing, and leave other homes alone', async () => {
    for (let i = 0; i < 20; i++) expect(await codeOf('a', failing('HOME_UNREACHABLE'))).to.equal('HOME_UNREACHABLE')
    expect(calls).to.be.below(6)
    expect(breakers.open).to.equal(1)
    expect(await codeOf('b', async () => 1)).to.equal('ok')
  })

  it('try again after a while, and forget a home that has come back', async () => {
    breakers = new HomeBreakers({ resetMs: 50 })
    for (let i = 0; i < 10; i++) await codeOf('a', failing('HOME_UNREACHABLE'))
    await eventually('a call is let through', async () => (await codeOf('a', async () => 1)) === 'ok')
    expect(breakers.open).to.equal(0)
    expect(await codeOf('a', async () => 1)).to.equal('ok')
  })

  it('do not mind errors that say nothing of the home', async () => {
    for (let i = 0; i < 20; i++) expect(await codeOf('a', failing('AUCTION_NOT_FOUND'))).to.equal('AUCTION_NOT_FOUND')
    expect(calls).to.equal(20)
  })

  it('make calls before they return, so that calls keep their order, whatever state a home is in', async () => {
    const made: string[] = []
    const call = (name: string) => async () => {
      made.push(name)
      return name
    }
    const first = breakers.call('a', call('well'))
    await codeOf('a', failing('HOME_UNREACHABLE'))
    const second = breakers.call('a', call('after a failure'))
    const third = breakers.call('b', call('elsewhere'))
    expect(made).to.deep.equal(['well', 'after a failure', 'elsewhere'])
    await Promise.all([first, second, third])
  })
})

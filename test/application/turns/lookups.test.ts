import { expect } from 'chai'
import { Lookups } from '../../../src/application/turns/lookups.js'

describe('lookups', () => {
  it('look once for all that come meanwhile, and let them go on in the order in which they came', async () => {
    const found: ((value: string) => void)[] = []
    const lookups = new Lookups<string>(() => new Promise((resolve) => found.push(resolve)))
    const done: string[] = []
    const first = lookups.run('a', (value) => done.push(`first ${value}`))
    const second = lookups.run('a', (value) => done.push(`second ${value}`))
    expect([found.length, lookups.idle('a'), lookups.idle('b')]).to.deep.equal([1, false, true])
    found[0]?.('x')
    await Promise.all([first, second])
    expect(done).to.deep.equal(['first x', 'second x'])
    expect(lookups.idle('a')).to.equal(true)
  })

  it('fail for all who waited, and look again for the next', async () => {
    let looks = 0
    const lookups = new Lookups<number>(async () => {
      looks += 1
      if (looks === 1) throw new Error('no')
      return looks
    })
    const failed = await Promise.allSettled([lookups.run('a', Number), lookups.run('a', Number)])
    expect(failed.map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    expect(await lookups.run('a', Number)).to.equal(2)
    const thrown = lookups.run('a', () => {
      throw new Error('mine')
    })
    expect(await thrown.catch((error: Error) => error.message)).to.equal('mine')
  })
})

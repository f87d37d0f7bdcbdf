import { expect } from 'chai'
import { InOrder, InOrderOf } from '../../../src/application/turns/in-order.js'
import { settle } from '../../support/manual-time.js'

describe('what is done in order', () => {
  it('begins at once where nothing is under way, and gives what it comes to without a promise', () => {
    const order = new InOrder()
    expect(order.run(() => 7)).to.equal(7)
    expect(order.idle).to.equal(true)
  })

  it('waits for what was given before, however that ends', async () => {
    const order = new InOrder()
    const begun: string[] = []
    let fail: (error: Error) => void = () => {}
    const first = order.run(() => {
      begun.push('first')
      return new Promise<void>((_, reject) => {
        fail = reject
      })
    })
    const second = order.run(() => begun.push('second'))
    const third = order.run(() => begun.push('third'))
    await settle()
    expect([begun, order.idle]).to.deep.equal([['first'], false])
    fail(new Error('no'))
    expect(await Promise.resolve(first).catch((error: Error) => error.message)).to.equal('no')
    await Promise.all([second, third])
    await settle()
    expect([begun, order.idle]).to.deep.equal([['first', 'second', 'third'], true])
  })

  it('keeps one order for each key, and forgets it when it is over', async () => {
    const orders = new InOrderOf<string>()
    const done: string[] = []
    let go: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      go = resolve
    })
    const all = [
      orders.run('a', async () => {
        await held
        done.push('a1')
      }),
      orders.run('a', async () => done.push('a2')),
      orders.run('b', async () => done.push('b')),
    ]
    await settle()
    expect([done, orders.idle('a'), orders.idle('b')]).to.deep.equal([['b'], false, true])
    go()
    await Promise.all(all)
    expect([done, orders.idle('a')]).to.deep.equal([['b', 'a1', 'a2'], true])
  })
})

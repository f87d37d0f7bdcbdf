import { expect } from 'chai'
import { FairTurns } from '../../../../src/adapters/grenache/transport/fair-turns.js'
import { settle } from '../../../support/manual-time.js'
import { testBudgets } from '../../../support/test-budgets.js'

describe('the turns of senders on the thread', () => {
  const spin = (ms: number) => {
    const end = performance.now() + ms
    while (performance.now() < end);
  }

  it('begin at once where nobody waits', () => {
    const turns = new FairTurns(testBudgets().of('work'))
    let done = false
    turns.run('a', () => {
      done = true
    })
    expect(done).to.equal(true)
  })

  it('go to whoever has used least, however many another has asked for before', async () => {
    const turns = new FairTurns(testBudgets().of('work'))
    const order: string[] = []
    for (let i = 0; i < 50; i++)
      turns.run('flooder', () => {
        spin(2)
        order.push('flooder')
      })
    for (let i = 0; i < 5; i++)
      turns.run('trader', () => {
        order.push('trader')
      })
    while (order.length < 55) await settle(1)
    // The flooder's first was alone; after that the trader's five go before its second or third.
    expect(order.lastIndexOf('trader')).to.be.below(8)
  })

  it('come after no more than the one turn that another sender has already begun', async () => {
    const turns = new FairTurns(testBudgets().of('work'))
    const begunBetween: number[] = []
    let begun = 0
    const flood = (): void => {
      begun += 1
      spin(1)
      if (begun > 40) return
      turns.run('flooder', flood)
      turns.run('flooder', flood)
      const before = begun
      turns.run('trader', () => begunBetween.push(begun - before))
    }
    turns.run('trader', () => {})
    for (let i = 0; i < 20; i++) turns.run('flooder', flood)
    while (begunBetween.length < 40) await settle(1)
    expect(Math.max(...begunBetween)).to.equal(0)
  })

  it('count what a job does in its promises as well, and to its own sender', async () => {
    const work = testBudgets().of('work')
    const turns = new FairTurns(work)
    turns.run('first', () => {})
    const jobs = ['busy', 'idle', 'busy'].map(async (sender) => {
      await turns.turn(sender)
      await null
      if (sender === 'busy') spin(200)
    })
    await Promise.all(jobs)
    await settle(2)
    expect(work.used('busy')).to.be.above(200)
    // Whatever else the machine has to do.
    expect(work.used('idle')).to.be.below(100)
  })
})

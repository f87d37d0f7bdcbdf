import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect } from 'chai'
import { SignatureSlots } from '../../../src/adapters/sqlite/signature-slots.js'

const TAKER = `
  import('${new URL('../../../src/adapters/sqlite/signature-slots.js', import.meta.url)}').then(({ SignatureSlots }) => {
    const { parentPort, workerData } = require('node:worker_threads')
    const slots = new SignatureSlots(workerData)
    parentPort.postMessage('waits')
    parentPort.postMessage([slots.take(0), slots.take(1)])
  })`

describe('slots for signatures', () => {
  it('make the thread that writes wait for what the other one has yet to sign', async () => {
    const memory = SignatureSlots.sized(2)
    const slots = new SignatureSlots(memory)
    const taker = new Worker(TAKER, { eval: true, workerData: memory })
    await once(taker, 'message')
    slots.put(1, 'second')
    slots.put(0, 'first')
    expect(await once(taker, 'message')).to.deep.equal([['first', 'second']])
    await taker.terminate()
  })

  it('hold the longest that a commit may bear, and say so of one that does not fit', () => {
    const slots = new SignatureSlots(SignatureSlots.sized(3))
    slots.put(1, 's'.repeat(252))
    slots.put(2, 's'.repeat(253))
    expect(slots.take(1)).to.equal('s'.repeat(252))
    expect(() => slots.take(2)).to.throw(RangeError, 'a signature of more than 252 bytes')
  })

  it('are empty for the next batch', () => {
    const slots = new SignatureSlots(SignatureSlots.sized(1))
    slots.put(0, 'old')
    slots.clear(0)
    slots.put(0, 'new')
    expect(slots.take(0)).to.equal('new')
  })
})

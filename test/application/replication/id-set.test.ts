import { expect } from 'chai'
import fc from 'fast-check'
import { IdSet } from '../../../src/application/replication/id-set.js'

describe('a set of ids', () => {
  it('takes a list of ids as a whole, or none of it where one is known or comes twice', () => {
    const id = fc.integer({ min: 0, max: 60 }).map((n) => `bid_${n}`)
    fc.assert(
      fc.property(fc.array(fc.array(id, { maxLength: 12 }), { maxLength: 40 }), fc.nat(), (lists, seed) => {
        const ids = new IdSet(seed)
        const known = new Set<string>()
        for (const list of lists) {
          const place = list.findIndex((one, i) => known.has(one) || list.indexOf(one) < i)
          expect(ids.addAll(list)).to.equal(place)
          if (place === -1) for (const one of list) known.add(one)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('holds a hundred thousand ids apart in 32 bytes each at most', () => {
    const ids = new IdSet(7)
    for (let i = 0; i < 100; i++) {
      const list = Array.from({ length: 1_000 }, (_, k) => `bid_01ARZ3NDEKTSV4RRFFQ${i * 1_000 + k}`)
      expect(ids.addAll(list)).to.equal(-1)
    }
    expect(ids.addAll(['bid_01ARZ3NDEKTSV4RRFFQ54321'])).to.equal(0)
    expect(ids.bytes / 100_000).to.be.at.most(32)
  })
})

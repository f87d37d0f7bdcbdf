import { expect } from 'chai'
import fc from 'fast-check'
import { CommandIds } from '../../../src/application/gateway/command-ids.js'
import { COMMAND_ID, newCommandId } from '../../../src/application/log/ids.js'

const ANNA = { id: 'usr_anna', name: 'anna' }
const MALLORY = { id: 'usr_mallory', name: 'mallory' }

describe('the ids of commands at a gateway', () => {
  const clock = { now: () => Date.UTC(2030, 0, 1), monotonicMs: () => 0 }
  let bytes = 0
  const random = { bytes: (count: number) => Buffer.alloc(count, ++bytes) }
  const ids = new CommandIds({ clock, random })
  const keys = fc.oneof(
    fc.stringMatching(/^[!-~]{1,128}$/),
    fc.uuid(),
    fc.constantFrom('bid_00000001', 'cmd_order-000017', newCommandId('bid', { clock, random })),
  )

  it("follow from the key and the party: the same again, and never another party's", () => {
    fc.assert(
      fc.property(keys, fc.constantFrom('bid' as const, 'cmd' as const), (key, prefix) => {
        const id = ids.of(prefix, key, ANNA)
        expect(id).to.match(COMMAND_ID)
        expect(ids.of(prefix, key, ANNA)).to.equal(id)
        expect(ids.of(prefix, key, MALLORY)).not.to.equal(id)
      }),
    )
  })

  it('are keys themselves for their own party, as an answer that is not known says, and for no other', () => {
    fc.assert(
      fc.property(fc.option(keys, { nil: undefined }), (key) => {
        const id = ids.of('bid', key, ANNA)
        expect(ids.of('bid', id, ANNA)).to.equal(id)
        expect(ids.of('bid', id, MALLORY)).not.to.equal(id)
      }),
    )
  })

  it('begin with a key that has the form of one, so that its client knows the bid again in the log', () => {
    const key = newCommandId('bid', { clock, random })
    const id = ids.of('bid', key, ANNA)
    expect([id.slice(0, -8), id.length]).to.deep.equal([key, key.length + 8])
    const longest = `bid_${'x'.repeat(64)}`
    expect(ids.of('bid', longest, ANNA)).to.match(COMMAND_ID)
    expect(ids.of('bid', longest, ANNA)).not.to.equal(ids.of('bid', longest, MALLORY))
  })

  it('are new where there is no key', () => {
    const made = Array.from({ length: 50 }, () => ids.of('bid', undefined, ANNA))
    expect(new Set(made).size).to.equal(50)
  })

  it('are not made of what no header can hold', () => {
    for (const key of ['', 'a b', 'ä', 'x'.repeat(129)])
      expect(() => ids.of('bid', key, ANNA), key).to.throw('Idempotency-Key')
  })
})

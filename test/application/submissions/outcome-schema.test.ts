import { expect } from 'chai'
import { outcomeSchema } from '../../../src/application/submissions/outcome-schema.js'
import { MAX_SEQ, MAX_TIME } from '../../../src/domain/limits.js'

describe('an outcome in the words of another node', () => {
  const accepted = { status: 'accepted', commandId: 'bid_1', auctionId: 'auc_1', seq: MAX_SEQ, at: MAX_TIME }
  const rejected = {
    status: 'rejected',
    commandId: 'bid_1',
    auctionId: 'auc_1',
    at: MAX_TIME,
    rejection: { code: 'AUCTION_ENDED', endedAt: MAX_TIME },
  }
  const isTaken = (outcome: object) => outcomeSchema.safeParse(outcome).success

  it('is taken up to the last time and the last event that a log can have', () => {
    expect(isTaken(accepted)).to.equal(true)
    expect(isTaken(rejected)).to.equal(true)
  })

  for (const at of [MAX_TIME + 1, 8.64e15, 9e15, -1, 0.5])
    it(`is not taken at ${at}, which no calendar shows`, () => {
      expect(isTaken({ ...accepted, at })).to.equal(false)
      expect(isTaken({ ...rejected, at })).to.equal(false)
      expect(isTaken({ ...rejected, rejection: { ...rejected.rejection, endedAt: at } })).to.equal(false)
    })

  it('is not taken with a number that no event has, or with more fields', () => {
    for (const seq of [0, -1, 1.5, MAX_SEQ + 1]) expect(isTaken({ ...accepted, seq }), String(seq)).to.equal(false)
    expect(isTaken({ ...accepted, more: 1 })).to.equal(false)
  })
})

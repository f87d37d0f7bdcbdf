import { expect } from 'chai'
import { confirmReason, DEAF_MS, openSheet, priceMoved, tapped } from '../../../services/gateway/web/model/confirm.js'

const plain = (amount: string) => ({ kind: 'plain', amount }) as const
const seasoned = { minimum: '78.50', isFirst: false, skips: false }

describe('the confirming sheet', () => {
  it('always comes for the first bid, a maximum and a purchase, whatever was asked for', () => {
    for (const skips of [false, true]) {
      expect(confirmReason(plain('78.50'), { ...seasoned, isFirst: true, skips })).to.equal('first')
      expect(confirmReason({ kind: 'max', amount: '90.00' }, { ...seasoned, skips })).to.equal('max')
      expect(confirmReason({ kind: 'buy-now', amount: '900.00' }, { ...seasoned, skips })).to.equal('buy-now')
    }
  })

  it('always comes for five times the next bid or more, and says so', () => {
    expect(confirmReason(plain('392.50'), { ...seasoned, skips: true })).to.equal('unusual')
    expect(confirmReason(plain('392.49'), { ...seasoned, skips: true })).to.equal(null)
    expect(confirmReason({ kind: 'max', amount: '785.00' }, seasoned)).to.equal('unusual')
    expect(confirmReason(plain('5'), { ...seasoned, minimum: '1' })).to.equal('unusual')
  })

  it('can be turned off for all other bids of an auction', () => {
    expect(confirmReason(plain('78.50'), seasoned)).to.equal('asked')
    expect(confirmReason(plain('78.50'), { ...seasoned, skips: true })).to.equal(null)
  })

  it('is deaf to taps until its button has been where it is for 400 ms', () => {
    const sheet = openSheet(plain('78.50'), 'first', '78.50', 1_000)
    expect(tapped(sheet, 1_000 + DEAF_MS - 1).kind).to.equal('ignored')
    expect(tapped(sheet, 1_000 + DEAF_MS).kind).to.equal('go')
  })

  it('asks for a fresh tap where the price changes while it is open', () => {
    const sheet = openSheet(plain('78.50'), 'first', '78.50', 0)
    expect(priceMoved(sheet, '78.50', 5_000)).to.equal(sheet)
    const moved = priceMoved(sheet, '79.50', 5_000)
    expect(tapped(moved, 5_100).kind).to.equal('ignored')
    const first = tapped(moved, 6_000)
    if (first.kind !== 'again') throw new Error(first.kind)
    expect(tapped(first.sheet, 6_100).kind).to.equal('ignored')
    expect(tapped(first.sheet, 6_500).kind).to.equal('go')
  })
})

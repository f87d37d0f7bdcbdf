import { expect } from 'chai'
import { cueOf, ENDING_SOON_MS, endingNotice, noticeOf } from '../../../services/gateway/web/model/notices.js'
import { lotWith, NOW } from './lots.js'

const sold = { kind: 'sold', price: '81.00', winnerName: 'Mia' } as const

describe('a notice', () => {
  const after = lotWith({ you: 'outbid', seq: 6, price: '79.00' })

  it('says that one is outbid who led, with the price, and nobody else', () => {
    expect(noticeOf(lotWith({ you: 'leading' }), after)).to.include({
      kind: 'outbid',
      price: '79.00',
      seq: 6,
    })
    // Who bids and is outbid at once hears it as the answer to the bid; who was outbid before knows it.
    for (const you of [null, 'outbid', 'seller'] as const)
      expect(noticeOf(lotWith({ you }), after), String(you)).to.equal(null)
    expect(noticeOf(lotWith({ you: null }), lotWith({ you: null, price: '99.00' }))).to.equal(null)
  })

  it('says that one has won as a win, never as being outbid', () => {
    const won = lotWith({ you: 'won', ending: sold, status: 'closed' })
    expect(noticeOf(lotWith({ you: 'leading' }), won)?.kind).to.equal('won')
    expect(noticeOf(lotWith({ you: 'outbid' }), won)?.kind).to.equal('won')
    // Known as won already, or seen for the first time.
    expect(noticeOf(won, won)).to.equal(null)
    expect(noticeOf(lotWith({ you: 'leading' }), lotWith({ you: 'lost', ending: sold }))).to.equal(null)
  })

  it('says of an end that is near to those who do not lead, once however often it is extended', () => {
    const near = { closesAtMs: NOW + ENDING_SOON_MS - 1 }
    const notice = endingNotice(lotWith({ ...near, you: 'outbid' }), NOW, false)
    expect(notice?.kind).to.equal('ending')
    const extended = lotWith({ closesAtMs: NOW + ENDING_SOON_MS, you: 'outbid', seq: 9 })
    expect(endingNotice(extended, NOW, false)?.key).to.equal(notice?.key)
    expect(endingNotice(lotWith(near), NOW, true)?.kind).to.equal('ending')
    for (const quiet of [
      lotWith({ ...near, you: 'leading' }),
      lotWith({ ...near, you: 'seller' }),
      lotWith({ ...near, you: 'outbid', ending: sold }),
      lotWith({ you: 'outbid', closesAtMs: NOW }),
      lotWith({ you: 'outbid', closesAtMs: NOW + ENDING_SOON_MS + 1 }),
      lotWith({ you: 'outbid', closesAtMs: null }),
      lotWith({ ...near, you: 'outbid', status: 'scheduled' }),
    ])
      expect(endingNotice(quiet, NOW, quiet.you !== null)).to.equal(null)
    expect(endingNotice(lotWith(near), NOW, false)).to.equal(null)
  })
})

describe('a cue', () => {
  const extension = { closesAtMs: NOW + 1, atMs: NOW, by: 'soft-close', seq: 6 } as const

  it('is for being outbid, for an extension, and for a win', () => {
    expect(cueOf(lotWith({ you: 'leading' }), lotWith({ you: 'outbid' }), false)).to.equal('outbid')
    expect(cueOf(lotWith({ you: 'leading' }), lotWith({ you: 'won', ending: sold }), false)).to.equal('won')
    expect(cueOf(lotWith({ you: 'leading' }), lotWith({ you: 'leading', extension }), false)).to.equal('extended')
  })

  it('is for nothing that is other people’s business, and for nothing twice', () => {
    expect(cueOf(lotWith(), lotWith({ extension }), false)).to.equal(null)
    expect(cueOf(lotWith(), lotWith({ extension }), true)).to.equal('extended')
    expect(cueOf(lotWith({ extension }), lotWith({ extension }), true)).to.equal(null)
    expect(cueOf(lotWith(), lotWith({ price: '80.00' }), true)).to.equal(null)
  })
})

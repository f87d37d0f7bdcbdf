import { expect } from 'chai'
import { commitments } from '../../../services/gateway/web/model/committed.js'
import { lotWith } from './lots.js'

const NONE: ReadonlyMap<string, string> = new Map()
const leading = (id: string, price: string, currency = 'EUR') => lotWith({ id, price, currency, you: 'leading' })

describe('what somebody has committed', () => {
  it('is the sum of the prices that they lead at, exactly, in each unit apart', () => {
    const lots = [
      leading('auc_1', '0.10'),
      leading('auc_2', '0.20'),
      leading('auc_3', '9007199254740993.07'),
      leading('auc_4', '0.00000001', 'BTC'),
      lotWith({ id: 'auc_5', you: 'outbid' }),
      lotWith({ id: 'auc_6', you: 'seller' }),
    ]
    expect(commitments(lots, NONE, NONE)).to.deep.equal([
      { currency: 'BTC', now: '0.00000001', atWorst: '0.00000001' },
      { currency: 'EUR', now: '9007199254740993.37', atWorst: '9007199254740993.37' },
    ])
  })

  it('is at worst the open maxima, of what they lead in alone', () => {
    const maxima = new Map([
      ['auc_1', '150.00'],
      ['auc_2', '99.00'],
      ['auc_3', '500.00'],
    ])
    const lots = [
      leading('auc_1', '78.00'),
      // Beaten: it binds nobody any more.
      lotWith({ id: 'auc_2', you: 'outbid' }),
      lotWith({ id: 'auc_3', you: 'won', ending: { kind: 'sold', price: '78.00', winnerName: 'Mia' } }),
    ]
    expect(commitments(lots, maxima, NONE)).to.deep.equal([{ currency: 'EUR', now: '78.00', atWorst: '150.00' }])
  })

  it('counts what is on its way at worst, and not as well as what it would take the place of', () => {
    const lots = [leading('auc_1', '78.00'), lotWith({ id: 'auc_2', you: 'outbid' })]
    const pending = new Map([
      ['auc_1', '90.00'],
      ['auc_2', '80.00'],
    ])
    expect(commitments(lots, new Map([['auc_1', '85.00']]), pending)).to.deep.equal([
      { currency: 'EUR', now: '78.00', atWorst: '170.00' },
    ])
    expect(commitments([lotWith()], NONE, NONE)).to.deep.equal([])
  })
})

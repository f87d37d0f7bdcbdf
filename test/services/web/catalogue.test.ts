import { expect } from 'chai'
import { numberSigns } from '../../../services/gateway/web/model/amount.js'
import {
  type CatalogueView,
  DEFAULT_VIEW,
  FILTERS,
  paramsOf,
  rowsInSight,
  SORTS,
  seen,
  viewOf,
} from '../../../services/gateway/web/model/catalogue.js'
import type { Lot } from '../../../services/gateway/web/model/lot.js'
import { changedAdvanced, firstAmounts, newSale, termsOf } from '../../../services/gateway/web/model/sale.js'
import { lotWith, NOW } from './lots.js'

const looking = { nowMs: NOW, watched: new Set(['w']) }
const ids = (lots: readonly Lot[], view: Partial<CatalogueView> = {}) =>
  seen(lots, { ...DEFAULT_VIEW, ...view }, looking).map(({ id }) => id)

describe('the catalogue', () => {
  it('keeps its filter, sort and search in the address, and only what is not usual', () => {
    for (const filter of FILTERS)
      for (const sort of SORTS) {
        const view = { filter, sort, search: 'a chair' }
        expect(viewOf(paramsOf(view))).to.deep.equal(view)
      }
    expect(String(paramsOf(DEFAULT_VIEW))).to.equal('')
    expect(viewOf(new URLSearchParams('show=nonsense&sort=%00'))).to.deep.equal(DEFAULT_VIEW)
  })

  it('filters', () => {
    const lots = [
      lotWith({ id: 'soon' }),
      lotWith({ id: 'late', closesAtMs: NOW + 7_200_000, bidCount: 0 }),
      lotWith({ id: 'later', status: 'scheduled' }),
      lotWith({ id: 'gone', status: 'closed', ending: { kind: 'not-sold', reason: 'no-bids' } }),
      lotWith({ id: 'waits', status: 'ended' }),
      lotWith({ id: 'own', you: 'outbid' }),
      lotWith({ id: 'w', closesAtMs: null }),
    ]
    expect(ids(lots)).to.have.members(['soon', 'late', 'own', 'w'])
    expect(ids(lots, { filter: 'ending' })).to.have.members(['soon', 'own'])
    expect(ids(lots, { filter: 'upcoming' })).to.deep.equal(['later'])
    expect(ids(lots, { filter: 'closed' })).to.have.members(['gone', 'waits'])
    expect(ids(lots, { filter: 'no-bids' })).to.deep.equal(['late'])
    expect(ids(lots, { filter: 'mine' })).to.deep.equal(['own'])
    expect(ids(lots, { filter: 'watched' })).to.deep.equal(['w'])
  })

  it('sorts by amounts and not by their text, and puts those without an end last', () => {
    const lots = [
      lotWith({ id: 'a', price: '9.00', closesAtMs: null, openedAtMs: 3 }),
      lotWith({ id: 'b', price: '100.00', closesAtMs: NOW + 2, openedAtMs: 1, bidCount: 9 }),
      lotWith({ id: 'c', price: null, startPrice: '20.00', closesAtMs: NOW + 1, openedAtMs: 2, bidCount: 0 }),
    ]
    expect(ids(lots, { sort: 'ending' })).to.deep.equal(['c', 'b', 'a'])
    expect(ids(lots, { sort: 'newest' })).to.deep.equal(['a', 'c', 'b'])
    expect(ids(lots, { sort: 'price-low' })).to.deep.equal(['a', 'c', 'b'])
    expect(ids(lots, { sort: 'price-high' })).to.deep.equal(['b', 'c', 'a'])
    expect(ids(lots, { sort: 'bids' })).to.deep.equal(['b', 'a', 'c'])
  })

  it('finds words in any order, whatever their case and accents', () => {
    const lots = [lotWith({ id: 'a', title: 'Fauteuil à médaillon' }), lotWith({ id: 'b', sellerName: 'Zoë' })]
    expect(ids(lots, { search: 'MEDAILLON fauteuil' })).to.deep.equal(['a'])
    expect(ids(lots, { search: 'zoe' })).to.deep.equal(['b'])
    expect(ids(lots, { search: '.*' })).to.deep.equal([])
  })

  it('draws only what is in sight of however many there are', () => {
    const rows = rowsInSight({ scrollTop: 100_000, height: 800, rowHeight: 232, count: 5_000 })
    expect(rows.to - rows.from).to.be.lessThan(15)
    expect(rows.from * 232).to.be.lessThan(100_000 - 231)
    expect(rows.to * 232).to.be.greaterThan(100_800)
    expect(rowsInSight({ scrollTop: 0, height: 800, rowHeight: 232, count: 2 })).to.deep.equal({
      from: 0,
      to: 2,
    })
    expect(rowsInSight({ scrollTop: 9e9, height: 800, rowHeight: 232, count: 2 })).to.deep.equal({
      from: 2,
      to: 2,
    })
  })
})

describe('a sale', () => {
  const context = { signs: numberSigns('en-GB'), nowMs: NOW, decimals: () => 2 }
  const sale = { ...newSale('EUR'), title: ' A chair ', price: '20' }

  it('needs a title and a price, and has sensible terms beside them', () => {
    expect(termsOf(newSale('EUR'), context).problems).to.deep.equal({
      title: 'title-missing',
      price: 'price-missing',
    })
    expect(termsOf(sale, context).terms).to.deep.equal({
      title: 'A chair',
      start_price: '20.00',
      currency: 'EUR',
      closes_in_seconds: 3_600,
      soft_close: { window_ms: 30_000, extension_ms: 30_000 },
    })
  })

  it('is checked field by field', () => {
    const problems = (part: Partial<typeof sale>) => termsOf({ ...sale, ...part }, context).problems
    expect(problems({ title: '🪑'.repeat(101) })).to.deep.equal({ title: 'title-long' })
    expect(problems({ title: '🪑'.repeat(100) })).to.deep.equal({})
    expect(problems({ price: 'ten' })).to.deep.equal({ price: 'amount' })
    expect(problems({ price: '20.005' })).to.deep.equal({ price: 'ambiguous' })
    expect(problems({ reserve: '19' })).to.deep.equal({ reserve: 'reserve-low' })
    expect(problems({ buyNow: '20' })).to.deep.equal({ buyNow: 'buy-now-low' })
    expect(problems({ currency: 'E€' })).to.deep.equal({ currency: 'currency' })
    expect(problems({ opens: '2020-01-01T10:00' })).to.deep.equal({ opens: 'opens-past' })
  })

  it('has no soft close where it has no end', () => {
    expect(termsOf({ ...sale, minutes: '' }, context).terms).to.deep.equal({
      title: 'A chair',
      start_price: '20.00',
      currency: 'EUR',
    })
  })

  it('shows how bidding would go: by the step, or by the table that its home would use', () => {
    expect(firstAmounts({ ...sale, increment: '2.50' }, context, 3)).to.deep.equal(['20.00', '22.50', '25.00'])
    expect(firstAmounts({ ...sale, price: '24.50' }, context, 4)).to.deep.equal(['24.50', '25.00', '26.00', '27.00'])
    expect(firstAmounts({ ...sale, price: 'ten' }, context, 3)).to.deep.equal([])
  })

  it('counts what was changed under Advanced', () => {
    expect(changedAdvanced(sale)).to.equal(0)
    expect(changedAdvanced({ ...sale, reserve: '50', softClose: '0' })).to.equal(2)
  })
})

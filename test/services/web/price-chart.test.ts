import { expect } from 'chai'
import {
  type ChartFacts,
  isWorthDrawing,
  MAX_POINTS,
  pricePoints,
  summaryOf,
} from '../../../services/gateway/web/model/price-chart.js'
import { NOW } from './lots.js'

const FACTS: ChartFacts = { startPrice: '75.00', openedAtMs: NOW, isWhole: true, untilMs: NOW + 60_000 }
const bid = (seq: number, seconds: number, price: string) => ({ seq, atMs: NOW + seconds * 1_000, price })
const start = NOW / 1_000

describe('the chart of prices', () => {
  it('goes from the starting price over each bid to the present', () => {
    const bids = [bid(3, 20, '80.00'), bid(2, 10, '76.50')]
    expect(pricePoints(bids, FACTS)).to.deep.equal({
      seconds: [start, start + 10, start + 20, start + 60],
      prices: [75, 76.5, 80, 80],
    })
  })

  it('begins at the earliest bid that is known where earlier ones are not', () => {
    const { seconds, prices } = pricePoints([bid(9, 20, '80.00')], { ...FACTS, isWhole: false })
    expect([seconds[0], prices[0]]).to.deep.equal([start + 20, 80])
  })

  it('keeps the last of what happened in one moment, and never goes back in time', () => {
    const bids = [bid(4, 10, '90.00'), bid(3, 10, '80.00'), bid(2, 11, '76.00')]
    const { seconds, prices } = pricePoints(bids, FACTS)
    expect(seconds).to.deep.equal([start, start + 11, start + 60])
    expect(prices).to.deep.equal([75, 90, 90])
  })

  it('has a bounded number of points, and the newest price whatever is left out', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => bid(10_000 - i, 10_000 - i, `${20_000 - i}.00`))
    const { seconds, prices } = pricePoints(many, { ...FACTS, untilMs: 0 })
    expect(seconds.length).to.be.within(MAX_POINTS / 2, MAX_POINTS + 2)
    expect(prices.at(-1)).to.equal(20_000)
  })

  it('says in exact words from where to where the price went', () => {
    const bids = [bid(3, 20, '999999999999.99'), bid(2, 10, '76.50')]
    expect(summaryOf(bids, FACTS)).to.deep.equal({
      count: 2,
      first: '75.00',
      firstAtMs: NOW,
      last: '999999999999.99',
      lastAtMs: NOW + 20_000,
    })
    expect(summaryOf([], FACTS)).to.equal(null)
  })

  it('is not drawn where the price has not moved', () => {
    expect(isWorthDrawing([bid(2, 1, '75')], FACTS)).to.equal(false)
    expect(isWorthDrawing([bid(2, 1, '75.01')], FACTS)).to.equal(true)
  })
})

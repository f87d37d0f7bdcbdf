import { expect } from 'chai'
import { keyWordOf, matchesTitle } from '../../../src/domain/notices/saved-search.js'

describe('saved searches', () => {
  it('fit titles that hold all their words, in any order and case, with accents or without', () => {
    expect(matchesTitle('jugendstil vase', 'VASE, Jugendstil, um 1900')).to.equal(true)
    expect(matchesTitle('cafe', 'Café table')).to.equal(true)
    expect(matchesTitle('blue vase', 'A vase')).to.equal(false)
    expect(matchesTitle('vas', 'A vase')).to.equal(false)
    expect(matchesTitle('ساعة', 'ساعة قديمة')).to.equal(true)
  })

  it('without a word fit nothing', () => {
    expect(keyWordOf(' -- ')).to.equal(null)
    expect(matchesTitle('--', 'A -- b')).to.equal(false)
  })
})

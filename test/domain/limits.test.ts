import { expect } from 'chai'
import {
  isTime,
  isVisible,
  lineProblem,
  MAX_TIME,
  nameProblem,
  printable,
  proseProblem,
} from '../../src/domain/limits.js'

const NOTHING_SEEN: readonly [what: string, text: string][] = [
  ['blanks of any width', ' \u00a0\u1680\u2003\u202f\u205f\u3000'],
  ['zero-width characters', '\u200b\u200c\u200d\u2060\ufeff'],
  ['soft hyphens and joiners', '\u00ad\u034f'],
  ['fillers of Hangul and Khmer', '\u115f\u1160\u3164\uffa0\u17b4\u17b5'],
  ['variation selectors and tags', '\ufe0f\u{e0001}\u{e0100}'],
  ['the blank pattern of Braille', '\u2800'],
]

describe('the limits of texts', () => {
  for (const [what, text] of NOTHING_SEEN) {
    it(`take ${what} for nothing that can be seen`, () => {
      expect(isVisible(text)).to.equal(false)
      expect(nameProblem(text, 200)).to.be.oneOf(['must not be empty', 'must hold something that can be seen'])
      expect(nameProblem(`${text}x`, 200)).to.equal(null)
    })
  }

  it('take names in any script', () => {
    for (const name of ['José', '李雷', 'Ὀδυσσεύς', '🦊', 'שָׁלוֹם', '1', '_'])
      expect(nameProblem(name, 64), name).to.equal(null)
  })

  it('count as far as the limit, and no further', () => {
    expect(lineProblem('x'.repeat(500), 500)).to.equal(null)
    expect(lineProblem('x'.repeat(501), 500)).to.equal('must be at most 500 characters')
  })

  it('keep control characters, turned text and half characters out', () => {
    for (const bad of ['\u001b[2J', 'a\nb', '\u202e', '\u2066', '\u0000', '\ud800'])
      expect(lineProblem(`a${bad}b`, 500), JSON.stringify(bad)).to.be.a('string')
    expect(proseProblem('a\n\tb', 500)).to.equal(null)
    for (const bad of ['a\r\nb', '\u001b[2J', '\ud800'])
      expect(proseProblem(bad, 500), JSON.stringify(bad)).to.be.a('string')
  })

  it('make any text fit for a line', () => {
    expect(printable('a\u001b[2J\nb\u202e')).to.equal('a?[2J?b?')
  })
})

describe('the limits of times', () => {
  it('are the years that RFC 3339 can write', () => {
    expect(isTime(0)).to.equal(true)
    expect(isTime(MAX_TIME)).to.equal(true)
    expect(new Date(MAX_TIME).toISOString()).to.equal('9999-12-31T23:59:59.999Z')
    for (const bad of [-1, MAX_TIME + 1, 8.64e15, 9e15, 0.5, Number.NaN, Infinity, '0', null])
      expect(isTime(bad), String(bad)).to.equal(false)
  })
})

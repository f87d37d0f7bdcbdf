import { expect } from 'chai'
import { Announcer } from '../../../services/gateway/web/model/announcer.js'
import { countdown, shortCountdown, softCloseShare, spokenMark } from '../../../services/gateway/web/model/countdown.js'
import { formatMessage, formatParts } from '../../../services/gateway/web/model/message-format.js'
import { ar } from '../../../services/gateway/web/texts/ar.js'
import { de } from '../../../services/gateway/web/texts/de.js'
import { en } from '../../../services/gateway/web/texts/en.js'
import { NOW } from './lots.js'

describe('a message', () => {
  const format = (pattern: string, args = {}, locale = 'en') => formatMessage(pattern, args, locale)

  it('has values, numbers and quoted signs in it', () => {
    expect(format('Sold for {price}', { price: '5 EUR' })).to.equal('Sold for 5 EUR')
    expect(format('{n, number} of {m}', { n: 1234, m: 5 })).to.equal('1,234 of 5')
    // Whether the message says so or not, as it is the same number to who reads it.
    expect(format('{n} of {m, number}', { n: 1234, m: 5 }, 'ar-EG')).to.equal('١٬٢٣٤ of ٥')
    expect(format("it''s '{not}' a gap, don't")).to.equal("it's {not} a gap, don't")
  })

  it('has plurals as each language has them', () => {
    const bids = '{n, plural, =0 {none} one {# bid} other {# bids}}'
    expect([0, 1, 2, 1_000].map((n) => format(bids, { n }))).to.deep.equal(['none', '1 bid', '2 bids', '1,000 bids'])
    const arabic = '{n, plural, zero {z} one {o} two {t} few {f #} many {m #} other {x #}}'
    expect([0, 1, 2, 3, 11, 100].map((n) => format(arabic, { n }, 'ar-u-nu-latn'))).to.deep.equal([
      ...['z', 'o', 't', 'f 3', 'm 11', 'x 100'],
    ])
    expect(format('{n, plural, offset:1 one {you and # more} other {you and # more}}', { n: 3 })).to.equal(
      'you and 2 more',
    )
    expect(format('{n, selectordinal, one {#st} two {#nd} other {#th}}', { n: 2 })).to.equal('2nd')
  })

  it('has choices, within which there may be more', () => {
    const pattern = '{who, select, you {You lead} other {{name} leads with {n, plural, one {# bid} other {# bids}}}}'
    expect(format(pattern, { who: 'you' })).to.equal('You lead')
    expect(format(pattern, { who: 'x', name: 'Kim', n: 2 })).to.equal('Kim leads with 2 bids')
  })

  it('takes elements into its gaps', () => {
    const element = { tag: 'b' }
    expect(formatParts('a {x} b', { x: element }, 'en')).to.deep.equal(['a ', element, ' b'])
  })

  it('is refused where it is none, or where a value is missing', () => {
    for (const bad of ['{', '{a', '{a, plural, one {x}}', '{a, colour}', 'a } b'])
      expect(() => format(bad, { a: 1 }), bad).to.throw(SyntaxError)
    expect(() => format('{a}')).to.throw(RangeError, '{a}')
  })
})

describe('the texts', () => {
  const LANGUAGES = { en, de, ar } as const
  /** Arguments of a message, however deep they stand in it. */
  const gapsOf = (pattern: string) =>
    [...new Set([...pattern.matchAll(/\{\s*([a-z]+)\s*[,}]/gi)].map(([, name]) => name))].sort()

  for (const [language, texts] of Object.entries(LANGUAGES)) {
    it(`have the gaps of the English ones, and a case for every number, in ${language}`, () => {
      const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories
      for (const [key, pattern] of Object.entries(texts)) {
        const english = en[key as keyof typeof en]
        expect(gapsOf(pattern), key).to.have.members(gapsOf(english))
        // Counts of each category, so that each case is reached: nothing is left of the pattern itself.
        for (const count of [0, 1, 2, 3, 11, 100]) {
          const args = Object.fromEntries(gapsOf(english).map((name) => [name as string, count]))
          expect(formatMessage(pattern, args, language), key)
            .to.not.match(/[{}#]/)
            .and.to.not.equal('')
        }
        for (const [, body = ''] of pattern.matchAll(/plural,((?:[^{}]|\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\})*)\}/g))
          if (categories.includes('few') && language === 'ar')
            expect(body, key)
              .to.match(/few \{/)
              .and.to.match(/many \{/)
              .and.to.match(/two \{/)
      }
      expect(Object.keys(texts)).to.have.members(Object.keys(en))
    })
  }
})

describe('a countdown', () => {
  const at = (ms: number) => countdown(NOW + ms, NOW)

  it('is coarse above an hour, to the second below it, and rounded up', () => {
    expect(at(2 * 86_400_000 + 3_600_000)).to.deep.equal({ kind: 'days', days: 2, hours: 1 })
    expect(at(3_600_000 + 60_000)).to.deep.equal({ kind: 'hours', hours: 1, minutes: 1 })
    expect(at(65_000)).to.deep.equal({ kind: 'minutes', minutes: 1, seconds: 5 })
    expect(at(59_001)).to.deep.equal({ kind: 'minutes', minutes: 1, seconds: 0 })
    expect(at(58_001)).to.deep.equal({ kind: 'seconds', seconds: 59 })
    expect(at(1)).to.deep.equal({ kind: 'seconds', seconds: 1 })
    expect(shortCountdown(NOW + 65_000, NOW)).to.equal('1:05')
  })

  it('says at zero that the auction closes, not that it is over', () => {
    expect(at(0).kind).to.equal('closing')
    expect(at(-5_000).kind).to.equal('closing')
    expect(countdown(null, NOW).kind).to.equal('none')
  })

  it('is spoken at 60, 30 and 10 seconds, once each, also by a clock that jumps', () => {
    const end = NOW + 60_000
    expect(spokenMark(end, { beforeMs: NOW - 200, nowMs: NOW })).to.equal(60)
    expect(spokenMark(end, { beforeMs: NOW, nowMs: NOW + 200 })).to.equal(null)
    expect(spokenMark(end, { beforeMs: NOW + 1_000, nowMs: NOW + 55_000 })).to.equal(10)
    expect(spokenMark(null, { beforeMs: NOW, nowMs: NOW + 99_000 })).to.equal(null)
  })

  it('shows how much of the soft-close window is left', () => {
    expect(softCloseShare(NOW + 15_000, 30_000, NOW)).to.equal(0.5)
    expect(softCloseShare(NOW + 45_000, 30_000, NOW)).to.equal(null)
    expect(softCloseShare(NOW + 15_000, null, NOW)).to.equal(null)
  })
})

describe('what is said aloud', () => {
  it('is a price at most once in five seconds, and then the latest', () => {
    const said: string[] = []
    const announcer = new Announcer((region, text) => said.push(`${region}: ${text}`))
    for (let bid = 1; bid <= 100; bid++) announcer.polite(`price ${bid}`, bid * 10)
    expect(said).to.deep.equal(['polite: price 1'])
    expect(announcer.due(5_009)).to.equal(1)
    expect(announcer.due(5_010)).to.equal(0)
    expect(said).to.deep.equal(['polite: price 1', 'polite: price 100'])
    expect(announcer.due(60_000)).to.equal(0)
    expect(said).to.have.length(2)
  })

  it('is one’s own fate at once, and never twice of one event', () => {
    const said: string[] = []
    const announcer = new Announcer((_, text) => said.push(text))
    for (const seq of [7, 7, 8]) announcer.assertive('auc_1', { seq, text: `outbid ${seq}` })
    announcer.assertive('auc_2', { seq: 7, text: 'won' })
    expect(said).to.deep.equal(['outbid 7', 'outbid 8', 'won'])
  })
})

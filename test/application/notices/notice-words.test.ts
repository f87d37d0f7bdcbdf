import { expect } from 'chai'
import { noticeWords } from '../../../src/application/notices/notice-words.js'
import { NOTICE_KINDS, NOTICE_LANGUAGES } from '../../../src/domain/notices/notice-kind.js'
import { testNotice, WICKED_TITLE } from '../../support/notices.js'

/** Intl separates with blanks of several widths; versions of its data put a comma after the day or do not. */
const plain = (text: string | undefined) => text?.replace(/\s/gu, ' ').replace(/(Sat|Sun),/, '$1')

describe('the words of a notice', () => {
  it('name the price, what to bid and until when, in the time zone of the person', () => {
    const { title, headline, details } = noticeWords(testNotice())
    expect(title).to.equal('Armchair')
    expect(plain(headline)).to.equal('Outbid at 1,234.50 EUR')
    expect(details.map(plain)).to.deep.equal([
      'The next bid is 1,235.00 EUR or more.',
      'The auction ends on Sat 28 Nov, 18:02 CET.',
    ])
  })

  it('are there for each kind in each language, without a place that was not filled', () => {
    for (const language of NOTICE_LANGUAGES)
      for (const kind of NOTICE_KINDS)
        for (const more of [{ search: 'chairs' }, { price: null, minimum: null, closesAt: null }]) {
          const words = noticeWords(testNotice({ kind, language, ...more }))
          expect(words.direction).to.equal(language === 'ar' ? 'rtl' : 'ltr')
          expect(words.headline, `${language} ${kind}`).to.match(/^[^{}]+$/)
          expect(words.details.join(), `${language} ${kind}`).to.not.match(/[{}]|null/)
        }
  })

  it('write amounts digit by digit: none is rounded', () => {
    const { headline } = noticeWords(testNotice({ price: '90071992547409.91123456', currency: 'BTC' }))
    expect(plain(headline)).to.equal('Outbid at 90,071,992,547,409.91123456 BTC')
  })

  it('write the time with its zone on both sides of a change of clocks', () => {
    const end = (at: string) => plain(noticeWords(testNotice({ closesAt: Date.parse(at) })).details[1])
    expect(end('2026-10-25T00:30:00Z')).to.equal('The auction ends on Sun 25 Oct, 02:30 CEST.')
    expect(end('2026-10-25T01:30:00Z')).to.equal('The auction ends on Sun 25 Oct, 02:30 CET.')
  })

  it('are in UTC, and say so, where the time zone is unknown', () => {
    const { details } = noticeWords(testNotice({ timeZone: 'Mars/Olympus' }))
    expect(plain(details[1])).to.equal('The auction ends on Sat 28 Nov, 17:02 UTC.')
  })

  it('say nothing of a next bid once an auction is over', () => {
    for (const kind of ['won', 'lost', 'sold', 'not-sold'] as const)
      expect(noticeWords(testNotice({ kind })).details).to.deep.equal([])
  })

  it('hold no line break and no control character, whatever the title, search and currency are', () => {
    const wicked = { title: WICKED_TITLE, search: WICKED_TITLE, currency: 'E\nR', kind: 'new-auction' } as const
    const { title, headline, details } = noticeWords(testNotice(wicked))
    for (const text of [title, headline, ...details]) expect(text).to.not.match(/[\p{Cc}\u2028\u2029\u202e]/u)
  })
})

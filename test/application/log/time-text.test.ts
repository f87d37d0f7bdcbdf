import { expect } from 'chai'
import { parseTime, timeText } from '../../../src/application/log/time-text.js'
import { MAX_TIME } from '../../../src/domain/limits.js'

describe('times as text', () => {
  it('are read back as they were written, to the ends of what can be written', () => {
    for (const ms of [0, 1, Date.UTC(2030, 0, 31, 18), MAX_TIME])
      expect(parseTime(timeText(ms))).to.deep.equal({ ok: true, ms })
  })

  it('are shown for any number whatever, without failing', () => {
    for (const ms of [-1, MAX_TIME + 1, 8.64e15 + 1, 9e15, -9e15, Number.NaN, Infinity, -Infinity])
      expect(timeText(ms), String(ms)).to.match(/^\d{4}-\d\d-\d\dT/)
    expect(timeText(9e15)).to.equal('9999-12-31T23:59:59.999Z')
  })

  it('are refused before 1970 and after 9999', () => {
    for (const text of ['1969-12-31T23:59:59Z', '9999-12-31T23:59:59-23:00'])
      expect(parseTime(text), text).to.deep.include({ ok: false, rule: 'must be from 1970 to 9999' })
  })
})

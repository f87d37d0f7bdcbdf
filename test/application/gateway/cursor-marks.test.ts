import { expect } from 'chai'
import { CursorMarks } from '../../../src/application/gateway/cursor-marks.js'

describe('marks in the list of all events', () => {
  it('give a place at or before a time, and none where that is not known', () => {
    const marks = new CursorMarks()
    expect(marks.before(1_000_000)).to.equal(null)
    for (let second = 100; second <= 200; second++) marks.note(second * 1_000, `p${second}.0`)
    expect(marks.before(99_999)).to.equal(null)
    expect(marks.before(100_000)).to.equal('p100.0')
    expect(marks.before(119_999)).to.equal('p110.0')
    expect(marks.before(10_000_000)).to.equal('p200.0')
    marks.clear()
    expect(marks.before(10_000_000)).to.equal(null)
  })

  it('forget what a clock that was set back contradicts, and the oldest', () => {
    const marks = new CursorMarks()
    for (const second of [100, 200, 300]) marks.note(second * 1_000, `p${second}.0`)
    marks.note(150_000, 'p400.0')
    expect(marks.before(149_999)).to.equal('p100.0')
    expect(marks.before(250_000), 'heard after it, whatever the clock says').to.equal('p400.0')
    for (let i = 0; i < 10_000; i++) marks.note(1_000_000 + i * 10_000, `p${1_000 + i}.0`)
    expect(marks.before(150_000)).to.equal(null)
    expect(marks.before(1_000_000 + 9_999 * 10_000)).to.equal('p10999.0')
  })
})

import { expect } from 'chai'
import { minuteOfDay, quietUntil, timeOfDay } from '../../../src/domain/notices/quiet-hours.js'

const NIGHT = { from: 22 * 60, to: 7 * 60 }

function until(at: string, quiet = NIGHT, timeZone = 'Europe/Berlin'): string | null {
  const end = quietUntil(Date.parse(at), quiet, timeZone)
  return end === null ? null : new Date(end).toISOString()
}

describe('quiet hours', () => {
  it('end in the morning of the place where somebody is', () => {
    expect(until('2026-07-01T20:30:00Z')).to.equal('2026-07-02T05:00:00.000Z')
    expect(until('2026-07-01T20:30:10Z', NIGHT, 'Asia/Kathmandu')).to.equal('2026-07-02T01:15:00.000Z')
  })

  it('are not by day, nor at the minute in which they end', () => {
    expect(until('2026-07-01T10:00:00Z')).to.equal(null)
    expect(until('2026-07-02T05:00:00Z')).to.equal(null)
    expect(until('2026-07-02T04:59:59Z')).to.equal('2026-07-02T05:00:00.000Z')
  })

  it('follow the clocks in the nights in which they are changed', () => {
    expect(until('2026-03-28T23:00:00Z')).to.equal('2026-03-29T05:00:00.000Z')
    expect(until('2026-10-24T21:00:00Z')).to.equal('2026-10-25T06:00:00.000Z')
  })

  it('end with the hour that is left out if they would have ended within it', () => {
    expect(until('2026-03-28T23:00:00Z', { from: 0, to: 2 * 60 + 30 })).to.equal('2026-03-29T01:00:00.000Z')
  })

  it('know clocks that change by half an hour', () => {
    // Lord Howe goes from +11:00 to +10:30 at 2:00 on 5 April 2026.
    expect(until('2026-04-04T14:00:00Z', NIGHT, 'Australia/Lord_Howe')).to.equal('2026-04-04T20:30:00.000Z')
  })

  it('that begin when they end are none', () => {
    expect(until('2026-07-01T20:30:00Z', { from: 60, to: 60 })).to.equal(null)
  })

  it('are read and written as times of a day', () => {
    expect(['00:00', '07:05', '23:59'].map(minuteOfDay)).to.deep.equal([0, 425, 1_439])
    expect(['24:00', '7:05', '12:60', ''].map(minuteOfDay)).to.deep.equal([null, null, null, null])
    expect([0, 425, 1_439].map(timeOfDay)).to.deep.equal(['00:00', '07:05', '23:59'])
  })
})

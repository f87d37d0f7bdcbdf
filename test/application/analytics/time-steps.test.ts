import { expect } from 'chai'
import fc from 'fast-check'
import { isTimeZone, STEP_SIZES, stepEdges, usualStep } from '../../../src/application/analytics/time-steps.js'

const HOUR = 3_600_000
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Africa/Cairo',
  'America/Sao_Paulo',
  'Pacific/Apia',
]

describe('steps of time', () => {
  const steps = (from: string, to: string, by: 'minute' | 'hour' | 'day', timeZone: string) =>
    stepEdges({ from: Date.parse(from), to: Date.parse(to) }, { by, timeZone, max: 2_000 }) as number[]
  const hours = (edges: readonly number[]) => edges.slice(1).map((edge, i) => (edge - (edges[i] as number)) / HOUR)

  it('make a day of 23 hours where clocks go forward, and one of 25 where they go back', () => {
    const spring = steps('2026-03-28T00:00+01:00', '2026-03-31T00:00+02:00', 'day', 'Europe/Berlin')
    expect(hours(spring)).to.deep.equal([24, 23, 24])
    const autumn = steps('2026-10-24T00:00+02:00', '2026-10-27T00:00+01:00', 'day', 'Europe/Berlin')
    expect(hours(autumn)).to.deep.equal([24, 25, 24])
    expect(hours(steps('2026-10-31T04:00Z', '2026-11-02T05:00Z', 'day', 'America/New_York'))).to.deep.equal([24, 25])
  })

  it('count an hour that the clock shows twice as two', () => {
    const night = steps('2026-10-25T00:00+02:00', '2026-10-25T04:00+01:00', 'hour', 'Europe/Berlin')
    expect(hours(night)).to.deep.equal([1, 1, 1, 1, 1])
  })

  it('begin hours where the wall clock does, in zones of half hours and quarters too', () => {
    const [, kolkata] = steps('2026-01-01T00:00Z', '2026-01-01T03:00Z', 'hour', 'Asia/Kolkata')
    expect(new Date(kolkata as number).toISOString()).to.equal('2026-01-01T00:30:00.000Z')
    const [, kathmandu] = steps('2026-01-01T00:00Z', '2026-01-01T03:00Z', 'hour', 'Asia/Kathmandu')
    expect(new Date(kathmandu as number).toISOString()).to.equal('2026-01-01T00:15:00.000Z')
  })

  it('begin the day where midnight is skipped when the clock skips it', () => {
    // Clocks in Cairo go from 00:00 to 01:00.
    const days = steps('2026-04-23T00:00+02:00', '2026-04-25T00:00+03:00', 'day', 'Africa/Cairo')
    expect(hours(days)).to.deep.equal([24, 23])
  })

  it('leave out a day that a zone has left out', () => {
    const days = steps('2011-12-29T00:00-10:00', '2012-01-01T00:00+14:00', 'day', 'Pacific/Apia')
    expect(hours(days)).to.deep.equal([24, 24])
  })

  it('make up the frame without gaps, each inner edge where the wall clock shows a whole step', () => {
    const begin = Date.UTC(2010, 0, 1)
    const frame = fc.record({
      at: fc.integer({ min: begin, max: Date.UTC(2030, 0, 1) }),
      zone: fc.constantFrom(...ZONES),
    })
    fc.assert(
      fc.property(frame, fc.constantFrom(...STEP_SIZES), fc.integer({ min: 1, max: 80 }), ({ at, zone }, by, count) => {
        const size = { minute: 60_000, hour: HOUR, day: 24 * HOUR }[by]
        const to = at + count * size
        const edges = stepEdges({ from: at, to }, { by, timeZone: zone, max: 200 }) as number[]
        expect([edges[0], edges.at(-1)]).to.deep.equal([at, to])
        for (const [i, edge] of edges.slice(1).entries()) expect(edge).to.be.greaterThan(edges[i] as number)
        for (const edge of edges.slice(1, -1)) expect(labels(edge - 1, zone, by)).to.not.equal(labels(edge, zone, by))
        for (const [i, edge] of edges.slice(0, -1).entries())
          expect(labels(edge, zone, by)).to.equal(labels((edges[i + 1] as number) - 1, zone, by))
      }),
      { numRuns: 300 },
    )
  })

  it('are refused beyond their limit', () => {
    expect(stepEdges({ from: 0, to: 11 * 60_000 }, { by: 'minute', timeZone: 'UTC', max: 10 })).to.equal(null)
    expect(stepEdges({ from: 0, to: 10 * 60_000 }, { by: 'minute', timeZone: 'UTC', max: 10 })).to.have.length(11)
  })

  it('are small for short frames, and large for long ones', () => {
    expect([1, 24, 24 * 30].map((length) => usualStep({ from: 0, to: length * HOUR }))).to.deep.equal([...STEP_SIZES])
  })

  it('take zones of the IANA database, and no others', () => {
    expect(['Europe/Berlin', 'UTC'].map(isTimeZone)).to.deep.equal([true, true])
    expect(['+02:00', 'Middle/Earth', ''].map(isTimeZone)).to.deep.equal([false, false, false])
  })
})

/** What the wall clock shows of the step that a moment is in, and how far it is from UTC. */
function labels(at: number, timeZone: string, by: 'minute' | 'hour' | 'day'): string {
  const key = `${timeZone} ${by}`
  const format =
    FORMATS.get(key) ??
    new Intl.DateTimeFormat('en', {
      timeZone,
      ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
      ...(by !== 'day' && { hour: 'numeric', hourCycle: 'h23', timeZoneName: 'longOffset' }),
      ...(by === 'minute' && { minute: 'numeric' }),
    } as Intl.DateTimeFormatOptions)
  FORMATS.set(key, format)
  return format.format(at)
}
const FORMATS = new Map<string, Intl.DateTimeFormat>()

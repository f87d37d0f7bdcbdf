import { expect } from 'chai'
import { MAX_KEPT_LOTS, readLastKnown, writeLastKnown } from '../../../services/gateway/web/model/last-known.js'
import { isStale, mayReload } from '../../../services/gateway/web/model/staleness.js'
import { lotWith, NOW } from './lots.js'

describe('what the page last knew', () => {
  const none = new Set<string>()

  it('comes back as it was, without anybody’s standing', () => {
    const lot = lotWith({ you: 'leading', ownIds: new Set(['mia']) })
    const text = writeLastKnown([lot], NOW, none)
    expect(text).to.not.include('mia').and.to.not.include('leading')
    const last = readLastKnown(text)
    expect(last?.atMs).to.equal(NOW)
    expect(last?.lots).to.deep.equal([{ ...lot, you: null, ownIds: new Set() }])
  })

  it('has what concerns the visitor first, and no more than the browser has room for', () => {
    const crowd = Array.from({ length: 2 * MAX_KEPT_LOTS }, (_, i) => lotWith({ id: `auc_${i}` }))
    const mine = lotWith({ id: 'auc_mine', you: 'outbid', closesAtMs: null })
    const watched = lotWith({ id: 'auc_watched', ending: { kind: 'not-sold', reason: 'no-bids' } })
    const text = writeLastKnown([...crowd, mine, watched], NOW, new Set(['auc_watched']))
    const ids = readLastKnown(text)?.lots.map(({ id }) => id)
    expect(ids).to.have.length(MAX_KEPT_LOTS)
    expect(ids?.slice(0, 2)).to.have.members(['auc_mine', 'auc_watched'])
    expect(text.length).to.be.lessThan(500_000)
  })

  it('is nothing where it is of another version, cut, or something else', () => {
    const whole = writeLastKnown([lotWith()], NOW, none)
    for (const text of [null, '', '[]', 'null', whole.slice(0, 50), whole.replace(/"version":\d+/, '"version":0')])
      expect(readLastKnown(text), String(text)).to.equal(null)
  })
})

describe('a page that the gateway serves another version of', () => {
  const free = { isTyping: false, isSheetOpen: false, pending: 0, hasReloaded: false }

  it('is stale, and only then', () => {
    expect(isStale('one', 'two')).to.equal(true)
    for (const [own, served] of [
      ['one', 'one'],
      ['one', null],
      ['one', undefined],
      [null, 'two'],
      ['', 'two'],
    ] as const)
      expect(isStale(own, served)).to.equal(false)
  })

  it('loads itself anew only where nothing is typed, confirmed or on its way, and once', () => {
    expect(mayReload(free)).to.equal(true)
    for (const unfinished of [{ isTyping: true }, { isSheetOpen: true }, { pending: 1 }, { hasReloaded: true }])
      expect(mayReload({ ...free, ...unfinished })).to.equal(false)
  })
})

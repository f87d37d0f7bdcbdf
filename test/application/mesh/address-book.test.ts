import { expect } from 'chai'
import { AddressBook } from '../../../src/application/mesh/address-book.js'

const NONE: ReadonlySet<string> = new Set()

describe('the book of addresses', () => {
  let book: AddressBook
  beforeEach(() => {
    book = new AddressBook({ redialMs: 1_000 })
  })

  /** What it gives to dial at that time, until it gives no more. */
  const due = (now: number, inUse = NONE): string[] => {
    const given: string[] = []
    for (let next = book.next(now, inUse); next !== null; next = book.next(now, inUse)) given.push(next)
    return given
  }
  const many = (count: number, name: string) => Array.from({ length: count }, (_, i) => `${name}:${i}`)

  it('gives members first, then what members named, then what anybody said', () => {
    book.add('found:1', 'found')
    book.add('told:1', 'named')
    book.add('member:1', 'member')
    expect(due(0)).to.deep.equal(['member:1', 'told:1', 'found:1'])
  })

  it('keeps dials free for better sources, however many addresses lesser ones name', () => {
    for (const address of many(300, 'found')) book.add(address, 'found')
    expect(due(0)).to.have.length(16)
    for (const address of many(300, 'named')) book.add(address, 'named')
    expect(due(0)).to.have.length(8)
    for (const address of many(300, 'member')) book.add(address, 'member')
    expect(due(0)).to.have.length(8)
    expect(due(0)).to.deep.equal([])
  })

  it('goes through the addresses of one source in turns', () => {
    for (const address of many(40, 'found')) book.add(address, 'found')
    const seen = new Set<string>()
    for (let now = 0; now < 3; now++) {
      for (const address of due(now)) {
        seen.add(address)
        book.failed(address, now)
      }
    }
    expect(seen.size).to.equal(40)
  })

  it('gives no address that is in use or being dialled', () => {
    book.add('a:1', 'found')
    book.add('b:1', 'found')
    expect(due(0, new Set(['a:1']))).to.deep.equal(['b:1'])
    expect(due(0, new Set(['a:1']))).to.deep.equal([])
  })

  const delaysOf = (address: string, dials: number): number[] => {
    const delays: number[] = []
    let dialledAt = 0
    for (let now = 0; delays.length < dials; now += 500) {
      if (book.next(now, NONE) !== address) continue
      if (now > 0) delays.push(now - dialledAt)
      dialledAt = now
      book.failed(address, now)
    }
    return delays
  }

  it('leaves an address that fails alone ever longer, up to a minute', () => {
    book.add('a:1', 'found')
    expect(delaysOf('a:1', 8)).to.deep.equal([1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000))
  })

  it('looks for a lost member every three seconds', () => {
    book.add('a:1', 'found')
    book.next(0, NONE)
    book.proven('a:1')
    expect(delaysOf('a:1', 4)).to.deep.equal([1_000, 2_000, 3_000, 3_000])
  })

  it('tries again soon where somebody may have come up, but not as often as a caller likes', () => {
    book.add('a:1', 'found')
    for (let i = 0; i < 6; i++) {
      book.next(i * 100_000, NONE)
      book.failed('a:1', i * 100_000)
    }
    book.soon('a:1')
    expect(book.next(500_100, NONE)).to.equal(null)
    expect(book.next(500_500, NONE)).to.equal('a:1')
  })

  it('never gives itself again', () => {
    book.add('a:1', 'found')
    book.next(0, NONE)
    book.never('a:1')
    book.soon('a:1')
    expect(due(1e9)).to.deep.equal([])
  })

  it('when full, forgets what anybody said before what it knows', () => {
    book.add('member:1', 'member')
    for (const address of many(5_000, 'found')) book.add(address, 'found')
    expect(book.add('told:1', 'named')).to.equal(true)
    expect(due(0).slice(0, 2)).to.deep.equal(['member:1', 'told:1'])
  })
})

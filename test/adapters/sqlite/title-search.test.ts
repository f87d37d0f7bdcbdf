import { expect } from 'chai'
import { openStore, type SqliteStore } from '../../../src/adapters/sqlite/open-store.js'
import { SqliteReader } from '../../../src/adapters/sqlite/sqlite-reader.js'
import { auctionsTitled } from '../../../src/adapters/sqlite/title-search.js'
import { CommitBuilder } from '../../support/commit-builder.js'
import { makeTempDir } from '../../support/temp-dir.js'

const TITLES = ['Ming vase', 'Clock', 'Árbol 100%', 'Vase, with a "crack"', 'a', 'zebra', '日本の花瓶', 'ab ab ab']
const MANY = 1_100

describe('the search for titles', () => {
  const dir = makeTempDir()
  let store: SqliteStore
  let reader: SqliteReader
  before(async () => {
    store = await openStore(dir.path)
    const titles = [...Array.from({ length: MANY }, (_, i) => `Lot number ${i}`), ...TITLES]
    const openings = titles.map((title, i) => new CommitBuilder({ title, openedAt: 1_000 + i }).open())
    await Promise.all(openings.map((opening) => store.eventLog.append(opening)))
    reader = new SqliteReader(`${dir.path}/vendue.db`)
  })
  after(async () => {
    reader.close()
    await store.close()
    dir.remove()
  })

  const found = async (text: string) =>
    (await store.auctions.list({ now: 0, limit: 1_000, text })).auctions.map(({ state }) => state.terms.title)

  it('finds every part of a title, however short, where it is, and nowhere else', async () => {
    for (const title of TITLES) {
      const characters = [...title]
      for (let from = 0; from < characters.length; from++)
        for (let length = 1; length <= 4 && from + length <= characters.length; length++) {
          const part = characters.slice(from, from + length).join('')
          const expected = TITLES.filter((one) => one.toLowerCase().includes(part.toLowerCase()))
          const others = (await found(part)).filter((one) => !one.startsWith('Lot number'))
          expect(others, part).to.have.members(expected)
        }
    }
  })

  it('looks up what few titles have, in an index, and leaves what many have to the list', async () => {
    expect(await auctionsTitled(reader, 'zebra')).to.have.lengthOf(1)
    expect(await auctionsTitled(reader, 'z')).to.have.lengthOf(1)
    expect(await auctionsTitled(reader, 'nobody')).to.deep.equal([])
    expect(await auctionsTitled(reader, 'number')).to.equal(null)
    expect(await auctionsTitled(reader, 'l')).to.equal(null)
    expect((await found('number 1099')).length).to.equal(1)
    const plan = await reader.all<{ detail: string }>(
      'EXPLAIN QUERY PLAN SELECT rowid FROM auction_titles WHERE auction_titles MATCH ?',
      '"zebra"',
    )
    expect(plan.map(({ detail }) => detail).join()).to.include('VIRTUAL TABLE INDEX')
  })
})

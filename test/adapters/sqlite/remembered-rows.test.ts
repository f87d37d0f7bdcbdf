import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openAccountStore } from '../../../src/adapters/sqlite/open-account-store.js'
import { RememberedRows } from '../../../src/adapters/sqlite/remembered-rows.js'
import { makeTempDir } from '../../support/temp-dir.js'

const ANNA = {
  name: 'anna',
  email: null,
  roles: ['bidder'],
  passwordHash: 'h',
  createdAt: 1,
  disabledAt: null,
} as const
const SESSION = { tokenHash: 'h1', previousHash: null, rotatedAt: 1, createdAt: 1, expiresAt: 9_000 }

describe('rows that are remembered', () => {
  let dir: ReturnType<typeof makeTempDir>
  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

  it('are read once, until somebody writes to the file, whoever it is', async () => {
    const db = new Database(join(dir.path, 'x.db'))
    db.pragma('journal_mode = WAL')
    db.exec('CREATE TABLE t (id TEXT PRIMARY KEY, value INTEGER)')
    const other = new Database(join(dir.path, 'x.db'))
    const rows = new RememberedRows<number | null>(db)
    let reads = 0
    const select = db.prepare<[string], { value: number }>('SELECT value FROM t WHERE id = ?')
    const find = (key: string) =>
      rows.find(key, (id) => {
        reads += 1
        return select.get(id)?.value ?? null
      })
    expect([find('a'), find('a')]).to.deep.equal([null, null])
    expect(reads, 'that there is none is remembered too').to.equal(1)
    other.prepare('INSERT INTO t VALUES (?, ?)').run('a', 1)
    await nextTurn()
    expect([find('a'), find('a')]).to.deep.equal([1, 1])
    expect(reads).to.equal(2)
    db.prepare('UPDATE t SET value = 2').run()
    rows.forget()
    expect(find('a'), 'in the same turn').to.equal(2)
    for (let i = 0; i < 20_001; i++) find(`k${i}`)
    expect(find('a')).to.equal(2)
    other.close()
    db.close()
  })

  it('of accounts and logins change with those of the command line, and with this process’s at once', async () => {
    const gateway = openAccountStore(dir.path)
    const operator = openAccountStore(dir.path)
    const id = 'usr_anna'
    await gateway.accounts.create({ ...ANNA, id, roles: [...ANNA.roles] })
    expect((await gateway.accounts.find(id))?.disabledAt).to.equal(null)
    await gateway.sessions.create({ ...SESSION, id: 'ses_1', accountId: id }, 5)
    expect((await gateway.sessions.find('ses_1'))?.tokenHash).to.equal('h1')
    await gateway.sessions.rotate('ses_1', { from: 'h1', to: 'h2', now: 2, expiresAt: 9_000 })
    expect((await gateway.sessions.find('ses_1'))?.tokenHash).to.equal('h2')
    await operator.accounts.change(id, { disabledAt: 5 })
    await operator.sessions.removeOf(id)
    await nextTurn()
    expect((await gateway.accounts.find(id))?.disabledAt).to.equal(5)
    expect(await gateway.sessions.find('ses_1')).to.equal(null)
    await gateway.accounts.change(id, { disabledAt: null })
    expect((await gateway.accounts.find(id))?.disabledAt).to.equal(null)
    await gateway.sessions.create({ ...SESSION, id: 'ses_2', accountId: id }, 5)
    expect(await gateway.sessions.find('ses_2')).not.to.equal(null)
    await gateway.sessions.remove('ses_2')
    expect(await gateway.sessions.find('ses_2')).to.equal(null)
    await operator.close()
    await gateway.close()
  })
})

import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openAccountStore } from '../../src/adapters/sqlite/open-account-store.js'
import type { Account } from '../../src/ports/accounts/account-repository.js'
import { MemoryAccountStore } from '../support/memory/memory-account-store.js'
import { skipUnless } from '../support/requires.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeAccountStore } from './account-store-contract.js'

describeAccountStore('memory', async () => {
  const store = new MemoryAccountStore()
  return { store, dispose: () => store.close() }
})

describeAccountStore('sqlite', async () => {
  const { path, remove } = makeTempDir()
  const store = openAccountStore(path)
  return {
    store,
    async dispose() {
      await store.close()
      remove()
    },
  }
})

describe('sqlite account store on disk', () => {
  const account: Account = {
    id: 'usr_1',
    name: 'alice',
    email: null,
    roles: ['bidder'],
    passwordHash: 'hash',
    createdAt: 1,
    disabledAt: null,
  }
  let dir: ReturnType<typeof makeTempDir>

  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

  it('can be open twice, and each sees what the other wrote', async () => {
    const gateway = openAccountStore(dir.path)
    const commandLine = openAccountStore(dir.path)
    await gateway.accounts.create(account)
    await commandLine.accounts.change(account.id, { disabledAt: 7 })
    expect((await gateway.accounts.find(account.id))?.disabledAt).to.equal(7)
    await Promise.all([gateway.close(), commandLine.close()])
    const again = openAccountStore(dir.path)
    expect(await again.accounts.find(account.id)).to.deep.equal({ ...account, disabledAt: 7 })
    await again.close()
  })

  it('is readable by its owner alone, and durable', async function () {
    skipUnless(this, process.platform !== 'win32', 'Windows has no file modes of this kind')
    const store = openAccountStore(dir.path)
    for (const file of ['gateway.db', 'gateway.db-wal', 'gateway.db-shm'])
      expect(statSync(join(dir.path, file)).mode & 0o077, file).to.equal(0)
    await store.close()
  })

  it('refuses a foreign file and one of a newer version, and leaves them as they are', async () => {
    const path = join(dir.path, 'gateway.db')
    const foreign = new Database(path)
    foreign.exec('CREATE TABLE t (x)')
    foreign.close()
    expect(() => openAccountStore(dir.path))
      .to.throw(/another program's/)
      .with.property('code', 'STORE_FOREIGN')
    const newer = new Database(path)
    newer.pragma(`application_id = ${0x564e4447}`)
    newer.pragma('user_version = 99')
    newer.close()
    expect(() => openAccountStore(dir.path))
      .to.throw(/newer Vendue/)
      .with.property('code', 'STORE_TOO_NEW')
  })
})

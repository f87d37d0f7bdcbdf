import { statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect } from 'chai'
import { openAccountStore } from '../../src/adapters/sqlite/open-account-store.js'
import { MemoryAccountStore } from '../support/memory/memory-account-store.js'
import { skipUnless } from '../support/requires.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeAccountStore } from './account-store-contract.js'

describeAccountStore({
  name: 'memory',
  capabilities: { shared: false },
  async make() {
    const store = new MemoryAccountStore()
    return { store, dispose: () => store.close() }
  },
})

describeAccountStore({
  name: 'sqlite',
  capabilities: { shared: true },
  async make() {
    const { path, remove } = makeTempDir()
    const store = openAccountStore(path)
    return {
      store,
      openAgain: () => openAccountStore(path),
      async dispose() {
        await store.close()
        remove()
      },
    }
  },
})

describe('sqlite account store on disk', () => {
  let dir: ReturnType<typeof makeTempDir>

  beforeEach(() => {
    dir = makeTempDir()
  })
  afterEach(() => dir.remove())

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

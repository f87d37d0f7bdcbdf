import { openStore } from '../../src/adapters/sqlite/open-store.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeStore } from './store-contract.js'

describeStore({
  name: 'sqlite',
  capabilities: { durable: true },
  async make() {
    const { path, remove } = makeTempDir()
    const store = await openStore(path)
    let open = store
    return {
      store,
      async reopen() {
        await open.close()
        open = await openStore(path)
        return open
      },
      async dispose() {
        await open.close()
        remove()
      },
    }
  },
})

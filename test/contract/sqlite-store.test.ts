import { openStore } from '../../src/adapters/sqlite/open-store.js'
import { makeTempDir } from '../support/temp-dir.js'
import { describeStore } from './store-contract.js'

describeStore('sqlite', async () => {
  const { path, remove } = makeTempDir()
  const store = await openStore(path)
  return {
    store,
    async dispose() {
      await store.close()
      remove()
    },
  }
})

import { openMemoryStore } from '../support/memory/memory-store.js'
import { describeStore } from './store-contract.js'

describeStore('memory', async () => {
  const store = openMemoryStore()
  return { store, dispose: () => store.close() }
})

import { openMemoryStore } from '../support/memory/memory-store.js'
import { describeStore } from './store-contract.js'

describeStore({
  name: 'memory',
  capabilities: { durable: false },
  async make() {
    const store = openMemoryStore()
    return { store, dispose: () => store.close() }
  },
})

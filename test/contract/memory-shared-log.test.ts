import type { SharedLog } from '../../src/ports/store/shared-log.js'
import { MemorySharedLog } from '../support/memory/memory-shared-log.js'
import { describeSharedLog } from './shared-log-contract.js'

describeSharedLog({
  name: 'memory',
  rounds: 200,
  async make() {
    const shared = new MemorySharedLog()
    const logs: SharedLog[] = []
    return {
      connect(clusterId) {
        const log = shared.connect(clusterId === undefined ? {} : { clusterId })
        logs.push(log)
        return log
      },
      async dispose() {
        for (const log of logs) await log.close()
      },
    }
  },
})

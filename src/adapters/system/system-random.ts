import { randomFillSync } from 'node:crypto'
import type { Random } from '../../ports/system/random.js'

/** One call into the system's generator costs as much as thousands of bytes of it. */
const POOL_BYTES = 8 * 1024
let pool = Buffer.alloc(0)
let used = 0

export const systemRandom: Random = {
  bytes(count) {
    if (count > POOL_BYTES) return randomFillSync(new Uint8Array(count))
    if (used + count > pool.length) {
      // A fresh pool each time: bytes given out are never written over.
      pool = randomFillSync(Buffer.alloc(POOL_BYTES))
      used = 0
    }
    used += count
    return pool.subarray(used - count, used)
  },
}

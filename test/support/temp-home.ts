import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory for one test's nodes; removed by the test's own clean-up. */
export function makeTempHome(): { home: string; remove: () => void } {
  const home = mkdtempSync(join(tmpdir(), 'vendue-test-'))
  return {
    home,
    remove: () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }),
  }
}

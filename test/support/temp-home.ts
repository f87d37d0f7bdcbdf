import { makeTempDir } from './temp-dir.js'

/** A directory for one test's nodes; removed by the test's own clean-up. */
export function makeTempHome(): { home: string; remove: () => void } {
  const { path, remove } = makeTempDir()
  return { home: path, remove }
}

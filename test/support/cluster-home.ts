import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CLUSTER_KEY_FILE, createClusterKey } from '../../src/adapters/system/cluster-key.js'

/** Gives nodes of a home the key of one new cluster, before they start. */
export function makeClusterHome(home: string, names: readonly string[]): void {
  const [first, ...others] = names.map((name) => join(home, 'nodes', name))
  if (first === undefined) return
  for (const dir of [first, ...others]) mkdirSync(dir, { recursive: true, mode: 0o700 })
  createClusterKey(first)
  for (const dir of others) copyFileSync(join(first, CLUSTER_KEY_FILE), join(dir, CLUSTER_KEY_FILE))
}

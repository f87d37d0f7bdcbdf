import { join } from 'node:path'
import type { ConsumerSettings } from '../../src/adapters/system/settings.js'
import { statProjection } from '../../src/application/analytics/stat-projection.js'
import type { StatReader } from '../../src/ports/store/stat-reader.js'
import { ServiceThread, type ServiceThreadDeps } from '../consumers/service-thread.js'

/** In a node's data directory. */
export const ANALYTICS_FILE = 'analytics.db'

/** Analytics as a part of a node; null where it is switched off. Not started yet. */
export function analyticsThread(
  deps: ServiceThreadDeps,
  { dataDir, consumers, holder }: { dataDir: string; consumers: ConsumerSettings | undefined; holder: string },
): ServiceThread<StatReader> | null {
  if (!consumers?.analytics) return null
  return new ServiceThread<StatReader>(deps, {
    name: statProjection.name,
    entry: new URL('./analytics-thread.js', import.meta.url),
    dataDir,
    database: consumers.database ?? { kind: 'sqlite', file: join(dataDir, ANALYTICS_FILE) },
    holder,
  })
}

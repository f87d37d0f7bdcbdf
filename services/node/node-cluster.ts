import { FileClusterSigner } from '../../src/adapters/system/cluster-key.js'
import type { NodeSettings } from '../../src/adapters/system/settings.js'
import { SettingsError } from '../../src/adapters/system/settings-error.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { ClusterOptions } from './compose-options.js'
import { sharedLogAt } from './open-shared-log.js'

/** What a node needs to take part in its cluster; undefined if it belongs to none. Throws `SettingsError`. */
export function openNodeCluster(
  { dataDir, sharedLog }: Pick<NodeSettings, 'dataDir' | 'sharedLog'>,
  { logger, isReader }: { readonly logger: Logger; readonly isReader: boolean },
): ClusterOptions | undefined {
  const signer = FileClusterSigner.open(dataDir, { clock: systemClock, logger })
  if (signer === null && sharedLog === undefined) return undefined
  if (signer === null)
    throw new SettingsError(
      'shared_log',
      'a shared log is given, and this node belongs to no cluster',
      'make a cluster with `vendue cluster init`, or join one with `vendue cluster join`; or leave the shared log out',
    )
  if (sharedLog === undefined)
    throw new SettingsError(
      'shared_log',
      'this node belongs to a cluster, and is not given the log that its nodes share',
      'give it with --shared-log or VENDUE_SHARED_LOG, or take the node out with `vendue cluster leave`',
    )
  if (isReader)
    throw new SettingsError(
      'shared_log',
      'by its role in the mesh this node reads only, and the nodes of a cluster write',
      'leave the shared log out and take the node out with `vendue cluster leave`, or invite it to the mesh with another role',
    )
  return { signer, sharedLog: sharedLogAt(sharedLog, signer.firstKey) }
}

import { readFileSync } from 'node:fs'
import type { PostgresAddress, PostgresTls } from '../../src/adapters/postgres/postgres-address.js'
import { PostgresClusterInvites } from '../../src/adapters/postgres/postgres-cluster-invites.js'
import { PostgresSharedLog } from '../../src/adapters/postgres/postgres-shared-log.js'
import { SettingsError } from '../../src/adapters/system/settings-error.js'
import {
  type SharedLogAddress,
  type SharedLogTls,
  sharedLogPassword,
} from '../../src/adapters/system/shared-log-address.js'
import type { ClusterInvites } from '../../src/ports/store/cluster-invites.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'

/** The log at this address. It connects when it is asked for something first: see `SharedLog.open`. */
export function sharedLogAt(address: SharedLogAddress, clusterId: string): SharedLog {
  return new PostgresSharedLog({ address: postgresAddress(address), clusterId })
}

/** What lies beside it for new nodes. */
export function clusterInvitesAt(address: SharedLogAddress, clusterId: string): ClusterInvites {
  return new PostgresClusterInvites({ address: postgresAddress(address), clusterId })
}

function postgresAddress(address: SharedLogAddress): PostgresAddress {
  const { hosts, database, user, tls } = address
  return { hosts, database, user, password: () => sharedLogPassword(address) ?? '', tls: tlsOf(tls) }
}

function tlsOf({ mode, rootCertificateFile }: SharedLogTls): PostgresTls | null {
  if (mode === 'disable') return null
  return {
    verifies: mode === 'verify-full',
    ca: rootCertificateFile === null ? null : readCertificate(rootCertificateFile),
  }
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new SettingsError(
      'shared_log',
      `the sslrootcert of the shared log, ${path}, cannot be read: ${(cause as Error).message}`,
      'correct its path in the URL, or its permissions',
      { cause },
    )
  }
}

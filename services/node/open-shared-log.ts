import { readFileSync } from 'node:fs'
import type { PostgresTls } from '../../src/adapters/postgres/postgres-address.js'
import { PostgresSharedLog } from '../../src/adapters/postgres/postgres-shared-log.js'
import { SettingsError } from '../../src/adapters/system/settings-error.js'
import {
  type SharedLogAddress,
  type SharedLogTls,
  sharedLogPassword,
} from '../../src/adapters/system/shared-log-address.js'
import type { SharedLog } from '../../src/ports/store/shared-log.js'

/** The log at this address. It connects when it is asked for something first: see `SharedLog.open`. */
export function sharedLogAt(address: SharedLogAddress, clusterId: string): SharedLog {
  const { hosts, database, user, tls } = address
  const password = () => sharedLogPassword(address) ?? ''
  return new PostgresSharedLog({ address: { hosts, database, user, password, tls: tlsOf(tls) }, clusterId })
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

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openAuditReader, openAuditStore } from '../../src/adapters/sqlite/sqlite-audit-store.js'
import { AUDIT_KEY_FILE, Ed25519Verifier, KEY_FILE, loadKey, readKey } from '../../src/adapters/system/node-key.js'
import { DEFAULT_AUDIT_KEEP_MS } from '../../src/adapters/system/settings.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemTimers } from '../../src/adapters/system/system-timers.js'
import { AuditTrail } from '../../src/application/audit/audit-trail.js'
import { type AuditCheck, checkAudit } from '../../src/application/audit/check-audit.js'
import { queryAudit } from '../../src/application/audit/query-audit.js'
import type { Act } from '../../src/ports/audit/audit.js'
import type { AuditStore } from '../../src/ports/audit/audit-store.js'
import type { AuditRequest } from '../../src/ports/node/node-requests.js'
import type { Clock } from '../../src/ports/system/clock.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Timers } from '../../src/ports/system/timers.js'

export interface OpenAuditOptions {
  readonly logger: Logger
  /** How long lines are kept; null: for good. */
  readonly keepMs?: number | null
  /** How long a write waits for another process's; a process that serves waits for nobody, and tries again. */
  readonly lockMs?: number
  readonly clock?: Clock
  readonly timers?: Timers
}

export interface OpenedAuditTrail {
  readonly trail: AuditTrail
  readonly store: AuditStore
}

/**
 * Opens the record of a data directory for writing, and makes it where there is none. Seals are by the node's key, or
 * where there is no node, by a key of the record's own. Throws `StoreError` and `NodeKeyError`.
 */
export function openAudit(
  dataDir: string,
  { logger, keepMs = DEFAULT_AUDIT_KEEP_MS, lockMs = 0, clock = systemClock, timers = systemTimers }: OpenAuditOptions,
): OpenedAuditTrail {
  const { store, anew } = openAuditStore(dataDir, { lockMs, now: clock.now() })
  if (anew !== null) logger.error({ dataDir }, `the audit record begins anew: ${anew}`)
  try {
    const signer = existsSync(join(dataDir, KEY_FILE))
      ? readKey(join(dataDir, KEY_FILE))
      : loadKey(join(dataDir, AUDIT_KEY_FILE))
    return { trail: new AuditTrail({ store, clock, timers, signer, logger }, { keepMs, anew }), store }
  } catch (error) {
    store.close()
    throw error
  }
}

/** How long a command waits for another process's write. */
const COMMAND_LOCK_MS = 5_000

/** Adds one act and seals it, for commands that end at once. A directory that is not there stays so. */
export function recordAct(dataDir: string, act: Act, logger: Logger): void {
  if (!existsSync(dataDir)) return
  const { trail } = openAudit(dataDir, { logger, lockMs: COMMAND_LOCK_MS })
  trail.record(act)
  trail.close()
}

/** The record of a data directory, to read; null if there is none. Throws `StoreError`. */
export function readAudit(dataDir: string) {
  const reader = openAuditReader(dataDir)
  if (reader === null) return null
  return {
    query: (request: AuditRequest) => queryAudit(reader, request),
    check(): AuditCheck {
      const keys = [KEY_FILE, AUDIT_KEY_FILE]
        .map((name) => join(dataDir, name))
        .filter((path) => existsSync(path))
        .map((path) => readKey(path).publicKey)
      return checkAudit(reader, { verifier: new Ed25519Verifier(), keys })
    },
    close: () => reader.close(),
  }
}

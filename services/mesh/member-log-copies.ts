import { type Dirent, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { MEMBERSHIP_FILE, SqliteMembershipRepository } from '../../src/adapters/sqlite/sqlite-membership-repository.js'
import { StoreError } from '../../src/adapters/sqlite/store-error.js'
import { NODES_DIR } from '../../src/adapters/system/running-nodes.js'
import type { Authority } from '../../src/application/members/authority.js'
import { conflictError, MemberLogConflictError } from '../../src/application/members/member-history.js'
import { MemberLogError } from '../../src/application/members/member-log.js'
import type { MemberLogEntry } from '../../src/ports/members/member.js'

/**
 * Lets the authority catch up with what the nodes of this home hold of its member log: what it wrote after a backup
 * would contradict what they know. Throws MEMBER_LOG_CONFLICT where it already does.
 */
export function catchUpWithCopies(authority: Authority, home: string): void {
  for (const copy of copiesOf(authority.meshId, home)) {
    try {
      authority.learn(copy)
    } catch (error) {
      if (error instanceof MemberLogConflictError) throw conflictError(error)
      // A copy that does not hold says nothing; its node says so when it starts.
      if (!(error instanceof MemberLogError)) throw error
    }
  }
}

function* copiesOf(meshId: string, home: string): Iterable<MemberLogEntry[]> {
  const nodes = join(home, NODES_DIR)
  const entries: Dirent[] = existsSync(nodes) ? readdirSync(nodes, { withFileTypes: true }) : []
  for (const entry of entries) {
    const dataDir = join(nodes, entry.name)
    if (!existsSync(join(dataDir, MEMBERSHIP_FILE))) continue
    const log = readCopy(dataDir, meshId)
    if (log !== null && log.length > 0) yield log
  }
}

/** A node's copy; null where it cannot be read. */
export function readCopy(dataDir: string, meshId: string): MemberLogEntry[] | null {
  try {
    const repository = SqliteMembershipRepository.open(dataDir)
    try {
      return repository.log(meshId)
    } finally {
      repository.close()
    }
  } catch (error) {
    if (error instanceof StoreError) return null
    throw error
  }
}

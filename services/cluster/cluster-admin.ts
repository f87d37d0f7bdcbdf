import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DATABASE_FILE, prepareDirectory, prepareFile } from '../../src/adapters/sqlite/open-store.js'
import {
  CLUSTER_KEY_FILE,
  type ClusterKey,
  clusterKeySchema,
  createClusterKey,
  newestKey,
  readClusterKey,
  rotated,
  saveClusterKey,
  unsound,
} from '../../src/adapters/system/cluster-key.js'
import { loadNodeKey, readNodeKey } from '../../src/adapters/system/node-key.js'
import { type SharedLogAddress, shownSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { systemClock } from '../../src/adapters/system/system-clock.js'
import { systemRandom } from '../../src/adapters/system/system-random.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import { nobodyTakesOver } from '../../src/application/members/cluster-errors.js'
import {
  formatClusterToken,
  newClusterToken,
  parseClusterToken,
  sealedFor,
  unsealed,
} from '../../src/application/members/cluster-token.js'
import { secretHash } from '../../src/application/members/mesh-token.js'
import type {
  ClusterAdmin,
  ClusterInvitation,
  ClusterSummary,
  InviteOptions,
} from '../../src/ports/members/cluster-admin.js'
import { NodeError } from '../../src/ports/node/node-error.js'
import type { ClusterInvites } from '../../src/ports/store/cluster-invites.js'
import { type SharedLog, SharedLogError } from '../../src/ports/store/shared-log.js'
import { clusterInvitesAt, sharedLogAt } from '../node/open-shared-log.js'

const TAKEN_OVER_MS = 15_000
const POLL_MS = 250

export interface NodeClusterAdminOptions {
  readonly dataDir: string
  readonly sharedLog: SharedLogAddress
  /** How long a node that leaves waits for others to take its auctions over. */
  readonly takenOverMs?: number
}

/** The cluster of the node in one data directory. */
export class NodeClusterAdmin implements ClusterAdmin {
  readonly #dataDir: string
  readonly #sharedLog: SharedLogAddress
  readonly #takenOverMs: number

  constructor({ dataDir, sharedLog, takenOverMs = TAKEN_OVER_MS }: NodeClusterAdminOptions) {
    this.#dataDir = dataDir
    this.#sharedLog = sharedLog
    this.#takenOverMs = takenOverMs
  }

  async init(): Promise<ClusterSummary & { readonly isNew: boolean }> {
    this.#prepare()
    const made = createClusterKey(this.#dataDir)
    const key = made ?? this.#key()
    try {
      await this.#withInvites(key.first_key, (invites) => invites.open())
    } catch (error) {
      // The log may have been claimed: the key stays, so that the same command can go on with it.
      if (made && error instanceof SharedLogError && error.code === 'LOG_OF_ANOTHER_CLUSTER') this.#forgetKey()
      throw error
    }
    return { ...this.#summary(key), isNew: made !== null }
  }

  async invite(options: InviteOptions): Promise<ClusterInvitation> {
    return this.#invite(this.#key(), options)
  }

  async join(text: string): Promise<ClusterSummary & { readonly was: 'none' | 'older' | 'same' }> {
    const token = parseClusterToken(text)
    this.#prepare()
    const known = readClusterKey(this.#dataDir)
    if (known !== null && known.first_key !== token.cluster) {
      throw new NodeError('OTHER_CLUSTER', `the node in ${this.#dataDir} belongs to another cluster`, {
        field: 'token',
        next: 'join with another node (--name NAME), or leave that cluster first: `vendue cluster leave`',
      })
    }
    const redeemed = await this.#withInvites(token.cluster, (invites) =>
      invites.redeem(secretHash(token.secret), this.#nodeId()),
    )
    if ('refused' in redeemed) throw refusal(redeemed.refused)
    const key = readKey(unsealed(token, redeemed.sealedKey), token.cluster)
    if (known !== null && known.rotations.length >= key.rotations.length)
      return { ...this.#summary(known), was: 'same' }
    saveClusterKey(this.#dataDir, key)
    return { ...this.#summary(key), was: known === null ? 'none' : 'older' }
  }

  async rotateKey(options: InviteOptions): Promise<ClusterSummary & ClusterInvitation> {
    const key = rotated(this.#key())
    if (key === null) {
      throw new NodeError('INVALID_INPUT', 'the key of this cluster has been exchanged as often as it can be', {
        next: 'make a new cluster with a database of its own, and move the auctions there by `vendue handover`',
      })
    }
    // First where others get it from: a key that only this node has would keep the others from its auctions.
    const invitation = await this.#invite(key, options)
    saveClusterKey(this.#dataDir, key)
    return { ...this.#summary(key), ...invitation }
  }

  async leave(): Promise<ClusterSummary> {
    const key = this.#key()
    const nodeId = this.#nodeId()
    const log = sharedLogAt(this.#sharedLog, key.first_key)
    try {
      await log.leave(nodeId)
      await takenOver(log, nodeId, this.#takenOverMs)
    } finally {
      await log.close()
    }
    this.#forgetKey()
    return this.#summary(key)
  }

  async #invite(key: ClusterKey, { uses, lifeMs }: InviteOptions): Promise<ClusterInvitation> {
    const token = newClusterToken(key.first_key, systemRandom)
    const sealedKey = sealedFor(token, JSON.stringify(key), systemRandom)
    const expiresAt = systemClock.now() + lifeMs
    await this.#withInvites(key.first_key, (invites) =>
      invites.save({ secretHash: secretHash(token.secret), sealedKey, uses, lifeMs }),
    )
    return { token: formatClusterToken(token), uses, expiresAt }
  }

  async #withInvites<T>(cluster: string, work: (invites: ClusterInvites) => Promise<T>): Promise<T> {
    const invites = clusterInvitesAt(this.#sharedLog, cluster)
    try {
      return await work(invites)
    } finally {
      await invites.close()
    }
  }

  /** A directory with a key of a node, as a node's start would make it. */
  #prepare(): void {
    prepareDirectory(this.#dataDir)
    prepareFile(join(this.#dataDir, DATABASE_FILE))
    loadNodeKey(this.#dataDir)
  }

  #key(): ClusterKey {
    const key = readClusterKey(this.#dataDir)
    if (key !== null) return key
    throw new NodeError('NO_CLUSTER', `the node in ${this.#dataDir} belongs to no cluster`, {
      next: 'make one with `vendue cluster init`, or join one with `vendue cluster join TOKEN`; --name or --data name another node',
    })
  }

  #forgetKey(): void {
    rmSync(join(this.#dataDir, CLUSTER_KEY_FILE), { force: true })
  }

  #nodeId(): string {
    return nodeIdOf(readNodeKey(this.#dataDir).publicKey)
  }

  #summary(key: ClusterKey): ClusterSummary {
    const log = shownSharedLog(this.#sharedLog)
    return { cluster: key.first_key, key: newestKey(key), log, nodeId: this.#nodeId() }
  }
}

/** Others look for auctions of a node that has left twice a second. */
async function takenOver(log: SharedLog, nodeId: string, withinMs: number): Promise<void> {
  for (let waitedMs = 0; waitedMs <= withinMs; waitedMs += POLL_MS) {
    if (!(await log.view()).homes.includes(nodeId)) return
    await sleep(POLL_MS)
  }
  throw nobodyTakesOver()
}

/** What was sealed is only as good as whoever could write to the log. */
function readKey(text: string | null, cluster: string): ClusterKey {
  const parsed = clusterKeySchema.safeParse(text === null ? null : JSON.parse(text))
  if (parsed.success && parsed.data.first_key === cluster && unsound(parsed.data) === null) return parsed.data
  throw new NodeError('TOKEN_UNKNOWN', 'what the log holds for this token is not the key of its cluster', {
    field: 'token',
    next: 'ask for another: `vendue cluster invite`',
  })
}

function refusal(why: 'unknown' | 'used' | 'expired'): NodeError {
  const info = { field: 'token', next: 'ask for another: `vendue cluster invite`' }
  if (why === 'used') return new NodeError('TOKEN_USED', 'as many nodes have joined with this token as it is for', info)
  if (why === 'expired') return new NodeError('TOKEN_EXPIRED', 'this token has expired', info)
  return new NodeError('TOKEN_UNKNOWN', 'the shared log knows no such token', info)
}

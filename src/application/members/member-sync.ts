import type { MemberLogEntry } from '../../ports/members/member.js'
import type { MemberNews } from '../../ports/members/member-news.js'
import type { JoinAnswer, JoinRequest, MeshAuthority } from '../../ports/members/mesh-authority.js'
import type { MeshClient } from '../../ports/members/mesh-client.js'
import type { MemberPage, MeshService } from '../../ports/members/mesh-service.js'
import { NodeError } from '../../ports/node/node-error.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Random } from '../../ports/system/random.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Budgets } from '../budgets/budgets.js'
import { nodeIdOf } from '../log/ids.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { shuffled } from '../turns/shuffled.js'
import { conflictError, MemberLogConflictError } from './member-history.js'
import type { MemberList } from './member-list.js'

export interface MemberSyncDeps {
  readonly budgets: Budgets
  readonly memberList: MemberList
  /** Null where this node does not have it. */
  readonly authority: MeshAuthority | null
  readonly meshClient: Pick<MeshClient, 'pullMembers' | 'pushMembers'>
  readonly peerTable: PeerTable
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
}

export interface MemberSyncOptions {
  /** A member was revoked: its connections have to end. It may be this node. */
  readonly onRevoked: (nodeId: string) => void
  /** Addresses of members, to be dialled. */
  readonly onAddresses: (addresses: readonly string[]) => void
}

const TICK_MS = 1_000
/** A peer is asked for its version this often, in case a push was lost. */
const TICKS_PER_PULL = 3
const PAGE = 256

/**
 * Keeps this node's member list up to date: reads from the authority if it is on this machine, passes on what is new,
 * and asks peers for what it may have missed. Whoever is revoked leaves the peer table at once.
 */
export class MemberSync implements MeshService, MemberNews {
  readonly #deps: MemberSyncDeps
  readonly #options: MemberSyncOptions
  readonly #unlisten: (() => void)[] = []
  #timer: Timer | null = null
  #ticks = 0
  /** How far the authority's own log has been compared with this copy. */
  #compared = 0
  /** Pulls that somebody waits for, by the peer. */
  readonly #asked = new Map<string, Promise<void>>()
  #running = false

  constructor(deps: MemberSyncDeps, options: MemberSyncOptions) {
    this.#deps = deps
    this.#options = options
  }

  start(): void {
    if (this.#running) return
    this.#running = true
    const { memberList, peerTable } = this.#deps
    this.#unlisten.push(
      memberList.onConflict((err) => {
        this.#deps.logger.error({ err: conflictError(err), ...err.conflict }, 'the member list has two histories')
      }),
      memberList.onChange(({ seq, revoked }) => {
        peerTable.rename()
        this.#push(memberList.entriesAfter(seq, PAGE))
        this.#apply(revoked)
      }),
      peerTable.onChange(({ peer, before }) => {
        if (peer.state === 'alive' && before !== 'suspect') void this.#pull(peer.info.address)
      }),
    )
    this.#apply(new Set())
    this.#tick()
  }

  stop(): void {
    this.#running = false
    this.#timer?.cancel()
    for (const unlisten of this.#unlisten.splice(0)) unlisten()
  }

  async join(request: JoinRequest): Promise<JoinAnswer> {
    const authority = this.#authority()
    const answer = await this.#certified(nodeIdOf(request.publicKey), () => authority.join(request))
    return { ...answer, log: answer.log.slice(0, PAGE) }
  }

  async renew(nodeId: string, addresses: readonly string[]): Promise<JoinAnswer> {
    const authority = this.#authority()
    const where = this.#mayMove(nodeId, addresses)
    return this.#certified(nodeId, () => authority.renew(nodeId, where))
  }

  /** The member's addresses from now on: the known ones if it has moved too often. */
  #mayMove(nodeId: string, addresses: readonly string[]): readonly string[] {
    const known = this.#deps.memberList.member(nodeId)
    if (known === null || known.addresses.join() === addresses.join()) return addresses
    return this.#deps.budgets.of('member-entries').take(nodeId) ? addresses : known.addresses
  }

  async #certified(nodeId: string, certify: () => Promise<JoinAnswer>): Promise<JoinAnswer> {
    const certificates = this.#deps.budgets.of('certificates')
    if (!certificates.take(nodeId)) {
      throw new NodeError('BUSY', 'this node has been given too many certificates of late', {
        next: 'go on with the last one, and try again in some minutes',
      })
    }
    try {
      const answer = await certify()
      this.#readAuthority()
      return answer
    } catch (error) {
      // A caller without a good token uses up no budget.
      certificates.give(nodeId)
      throw error
    }
  }

  async ask(nodeId: string): Promise<void> {
    const address = this.#deps.peerTable.whereabouts(nodeId)?.address
    if (address === undefined || !this.#running) return
    const asked = this.#asked.get(nodeId) ?? this.#pull(address).finally(() => this.#asked.delete(nodeId))
    this.#asked.set(nodeId, asked)
    await asked
  }

  async pushMembers(entries: readonly MemberLogEntry[]): Promise<void> {
    try {
      this.#deps.memberList.add(entries)
    } catch (cause) {
      if (cause instanceof MemberLogConflictError) throw conflictError(cause)
      throw new NodeError('INVALID_INPUT', `this is not of the member log: ${(cause as Error).message}`, {
        field: 'entries',
        cause,
      })
    }
  }

  async pullMembers(afterSeq: number): Promise<MemberPage> {
    const { memberList } = this.#deps
    return { entries: memberList.entriesAfter(afterSeq, PAGE), version: memberList.version }
  }

  #authority(): MeshAuthority {
    const { authority } = this.#deps
    if (authority) return authority
    throw new NodeError('NO_AUTHORITY', 'this member cannot let anybody in', {
      next: 'ask a member on the machine where the mesh was made',
    })
  }

  #tick(): void {
    if (!this.#running) return
    this.#timer = this.#deps.timers.after(TICK_MS, () => this.#tick())
    this.#readAuthority()
    this.#ticks += 1
    if (this.#ticks % TICKS_PER_PULL !== 0) return
    const { peerTable, random } = this.#deps
    const [peer] = shuffled(peerTable.reachable(), random)
    if (peer) void this.#pull(peer.info.address)
  }

  /** Another process of this user may have changed something there. */
  #readAuthority(): void {
    const { authority, logger, memberList } = this.#deps
    try {
      if (authority) this.#compare(authority)
    } catch (err) {
      if (err instanceof MemberLogConflictError) memberList.alarm(err)
      else logger.error({ err }, "the mesh's authority cannot be read")
    }
  }

  /** What is the same on both sides is read once; then only what is new. */
  #compare(authority: MeshAuthority): void {
    const { memberList } = this.#deps
    const { version } = authority
    const unread = version === this.#compared ? [] : authority.entriesAfter(this.#compared)
    this.#compared = version
    memberList.add(unread)
    if (version >= memberList.version || memberList.conflict !== null) return
    authority.learn(memberList.entriesAfter(0))
    this.#compared = authority.version
  }

  /** The last entry of whoever has fewer goes along, so that both see whether they have the same. */
  async #pull(address: string): Promise<void> {
    const { logger, memberList, meshClient } = this.#deps
    try {
      for (;;) {
        const { entries, version } = await meshClient.pullMembers(address, Math.max(0, memberList.version - 1))
        if (!this.#running || memberList.add(entries) === 0) {
          if (this.#running && version < memberList.version) {
            const last = Math.max(0, version - 1)
            memberList.add((await meshClient.pullMembers(address, last)).entries)
            await meshClient.pushMembers(address, memberList.entriesAfter(last, PAGE))
          }
          return
        }
      }
    } catch (err) {
      logger.debug({ err, address }, 'the member list could not be compared')
    }
  }

  #push(entries: readonly MemberLogEntry[]): void {
    const { logger, meshClient, peerTable } = this.#deps
    for (const { info } of peerTable.reachable()) {
      meshClient.pushMembers(info.address, entries).catch((err) => {
        logger.debug({ err, peer: info.name }, 'news of the member list did not arrive')
      })
    }
  }

  #apply(before: ReadonlySet<string>): void {
    const { logger, memberList, peerTable } = this.#deps
    for (const nodeId of memberList.revoked()) {
      if (before.has(nodeId)) continue
      if (this.#running) logger.info({ nodeId }, 'a member is revoked')
      peerTable.remove(nodeId)
      this.#options.onRevoked(nodeId)
    }
    const addresses = memberList.members().flatMap((member) => member.addresses)
    if (addresses.length > 0) this.#options.onAddresses(addresses)
  }
}

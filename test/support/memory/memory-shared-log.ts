import { setImmediate } from 'node:timers/promises'
import { chainsOf } from '../../../src/application/log/chains.js'
import { secretKept } from '../../../src/application/log/read-model.js'
import { dueAt, type OpenedAuction } from '../../../src/domain/auction.js'
import type { SealedMaximum } from '../../../src/domain/commands.js'
import type { Commit, Head } from '../../../src/domain/commit.js'
import type { Secrets } from '../../../src/domain/pricing.js'
import type { Append } from '../../../src/ports/store/event-log.js'
import type { RecordedOutcome } from '../../../src/ports/store/outcome-repository.js'
import {
  type ClusterNode,
  type ClusterView,
  type OwnedAuction,
  type SharedAppendResult,
  type SharedLog,
  SharedLogError,
  type SharedLogStatus,
  type SharedPage,
} from '../../../src/ports/store/shared-log.js'

interface SharedAuction {
  head: Head
  state: OpenedAuction
  secrets: SharedPage['secrets']
  readonly commits: Commit[]
  readonly outcomes: Map<string, RecordedOutcome>
  readonly sealed: Map<string, SealedMaximum>
}

export interface SharedLogOptions {
  readonly clusterId?: string
  /** The log's clock. */
  readonly now?: () => number
  /** When a call begins: a turn of the event loop later, where nothing else is said. */
  readonly turn?: () => Promise<unknown>
  /** Called before a call is carried out: may wait, or throw a `SharedLogError`. */
  readonly before?: (call: keyof SharedLog) => void | Promise<void>
  /** Called once it has been: may wait, or throw, and then the caller does not hear what came of it. */
  readonly after?: (call: keyof SharedLog) => void | Promise<void>
}

/** What the nodes of a cluster share. Each of them connects to it; a call is a transaction. */
export class MemorySharedLog {
  #auctions = new Map<string, SharedAuction>()
  /** By the command that opened it. */
  #openings = new Map<string, string>()
  readonly nodes = new Map<string, ClusterNode & { lastBeatAt: number }>()
  clusterId: string | null = null
  /** See `ClusterView`. */
  session = 1
  /** Ids of the auctions of each call that appended. */
  readonly appends: string[][] = []

  connect(options: SharedLogOptions = {}): SharedLog {
    return new MemorySharedLogConnection(this, options)
  }

  /** All that lies in it now, for `restore`. */
  snapshot(): unknown {
    return structuredClone([this.#auctions, this.#openings])
  }

  /** What a standby does that is promoted without the last commits, or a database that is restored from a backup. */
  restore(snapshot: unknown): void {
    ;[this.#auctions, this.#openings] = structuredClone(snapshot) as [Map<string, SharedAuction>, Map<string, string>]
    this.session++
  }

  find(auctionId: string): SharedAuction | undefined {
    return this.#auctions.get(auctionId)
  }

  owned(): [string, SharedAuction][] {
    return [...this.#auctions].filter(([, auction]) => needsHome(auction)).sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Of entries of one auction that follow each other. */
  append(chain: readonly Append[]): SharedAppendResult {
    const [first] = chain as [Append]
    const { auctionId, firstSeq } = first.commit
    const head = this.#auctions.get(auctionId)?.head ?? null
    const isInLog = ({ commit }: Append) =>
      this.#auctions.get(auctionId)?.commits.some(({ hash }) => hash === commit.hash) ?? false
    const missing = chain.filter((entry) => !isInLog(entry))
    const [next] = missing
    if (next === undefined) return { appended: true }
    if (missing.length < chain.length) return this.append(missing)
    if ((head?.seq ?? 0) !== firstSeq - 1 || (head?.hash ?? null) !== first.prevHash) return { appended: false, head }
    const command = firstSeq === 1 ? first.outcomes?.[0]?.outcome.commandId : undefined
    const opened = command === undefined ? undefined : this.#openings.get(command)
    const earlier = opened === undefined ? undefined : this.#auctions.get(opened)?.outcomes.get(command ?? '')
    if (earlier !== undefined) return { appended: false, earlier }
    if (command !== undefined) this.#openings.set(command, auctionId)
    for (const entry of chain) this.#apply(entry)
    return { appended: true }
  }

  #apply({ commit, events, state, secret, outcomes = [] }: Append): void {
    const { auctionId, lastSeq: seq, hash } = commit
    const head = { seq, hash }
    const auction = this.#auctions.get(auctionId) ?? {
      head,
      state,
      secrets: null,
      commits: [],
      outcomes: new Map<string, RecordedOutcome>(),
      sealed: new Map<string, SealedMaximum>(),
    }
    auction.head = head
    auction.state = state
    auction.commits.push(commit)
    if (secret !== undefined) auction.secrets = { seq, secrets: secret.secrets as Secrets }
    for (const maximum of secret?.sealed ?? []) auction.sealed.set(maximum.bidId, maximum)
    for (const event of events)
      if (event.type === 'MaximaRevealed') for (const { bidId } of event.maxima) auction.sealed.delete(bidId)
    for (const recorded of outcomes) auction.outcomes.set(recorded.outcome.commandId, recorded)
    this.#auctions.set(auctionId, auction)
  }
}

class MemorySharedLogConnection implements SharedLog {
  readonly #log: MemorySharedLog
  readonly #options: SharedLogOptions
  /** Calls are carried out in order. */
  #tail: Promise<unknown> = Promise.resolve()
  #closed = false
  #error: SharedLogError | null = null

  constructor(log: MemorySharedLog, options: SharedLogOptions) {
    this.#log = log
    this.#options = options
  }

  open(): Promise<void> {
    return this.#call('open', () => {})
  }

  append(entries: readonly Append[]): Promise<SharedAppendResult[]> {
    return this.#call('append', () => {
      this.#log.appends.push([...new Set(entries.map(({ commit }) => commit.auctionId))])
      const results = new Map<Append, SharedAppendResult>()
      for (const chain of chainsOf(entries)) {
        const result = this.#log.append(chain)
        for (const entry of chain) results.set(entry, result)
      }
      return entries.map((entry) => results.get(entry) as SharedAppendResult)
    })
  }

  record(homeNodeId: string, outcomes: readonly RecordedOutcome[]): Promise<string[]> {
    return this.#call('record', () => {
      const refused = new Set<string>()
      for (const recorded of outcomes) {
        const { auctionId, commandId } = recorded.outcome
        const auction = this.#log.find(auctionId)
        if (auction?.state.home.nodeId !== homeNodeId) refused.add(auctionId)
        else if (!auction.outcomes.has(commandId)) auction.outcomes.set(commandId, recorded)
      }
      return [...refused]
    })
  }

  heads(auctionIds: readonly string[]): Promise<Map<string, Head>> {
    return this.#call('heads', () => {
      const found = auctionIds.map((id) => [id, this.#log.find(id)?.head] as const)
      return new Map(found.filter((pair): pair is [string, Head] => pair[1] !== undefined))
    })
  }

  read(auctionId: string, fromSeq: number, limit: { commits: number; bytes: number }): Promise<Commit[]> {
    return this.#call('read', () => {
      let bytes = 0
      const commits = this.#log.find(auctionId)?.commits.filter(({ lastSeq }) => lastSeq >= fromSeq) ?? []
      return commits.slice(0, limit.commits).filter(({ body }) => {
        const fits = bytes < limit.bytes
        bytes += Buffer.byteLength(body)
        return fits
      })
    })
  }

  beside(auctionId: string, after: string | null): Promise<SharedPage> {
    return this.#call('beside', () => {
      const auction = this.#log.find(auctionId)
      if (auction === undefined) return { outcomes: [], sealed: [], secrets: null, next: null }
      const { outcomes, sealed, secrets } = auction
      if (after === null) return { outcomes: [...outcomes.values()], sealed: [], secrets: null, next: 'sealed' }
      return { outcomes: [], sealed: [...sealed.values()], secrets, next: null }
    })
  }

  beat(node: ClusterNode): Promise<ClusterView> {
    return this.#call('beat', () => {
      this.#log.nodes.set(node.nodeId, { ...node, lastBeatAt: this.#now() })
      return this.#view()
    })
  }

  view(): Promise<ClusterView> {
    return this.#call('view', () => this.#view())
  }

  leave(nodeId: string): Promise<void> {
    return this.#call('leave', () => {
      const node = this.#log.nodes.get(nodeId)
      if (node !== undefined) node.lastBeatAt = 0
    })
  }

  auctionsOf(homeNodeId: string, afterId: string | null, limit: number): Promise<OwnedAuction[]> {
    return this.#call('auctionsOf', () =>
      this.#log
        .owned()
        .filter(([auctionId, { state }]) => state.home.nodeId === homeNodeId && auctionId > (afterId ?? ''))
        .slice(0, limit)
        .map(([auctionId, { head, state }]) => ({ auctionId, ...head, dueAt: dueAt(state) })),
    )
  }

  status(): SharedLogStatus {
    return { connectedTo: this.#error === null ? 'memory' : null, error: this.#error }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #now(): number {
    return (this.#options.now ?? Date.now)()
  }

  #view(): ClusterView {
    const now = this.#now()
    const nodes = [...this.#log.nodes.values()]
      .sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1))
      .map((node) => ({ ...node, lastBeatAt: Math.min(node.lastBeatAt, now) }))
    const homes = new Set(this.#log.owned().map(([, { state }]) => state.home.nodeId))
    return { now, nodes, homes: [...homes].sort(), session: this.#log.session }
  }

  #call<T>(name: keyof SharedLog, work: () => T): Promise<T> {
    const done = this.#tail.then(async () => {
      await (this.#options.turn ?? setImmediate)()
      try {
        if (this.#closed) throw new SharedLogError('LOG_UNREACHABLE', 'the shared log has been closed')
        await this.#options.before?.(name)
        this.#claim()
        const result = work()
        await this.#options.after?.(name)
        this.#error = null
        return result
      } catch (error) {
        if (error instanceof SharedLogError) this.#error = error
        throw error
      }
    })
    this.#tail = done.catch(() => {})
    return done
  }

  #claim(): void {
    const { clusterId = 'cluster' } = this.#options
    this.#log.clusterId ??= clusterId
    if (this.#log.clusterId === clusterId) return
    throw new SharedLogError('LOG_OF_ANOTHER_CLUSTER', 'this log belongs to another cluster')
  }
}

function needsHome({ state, sealed }: SharedAuction): boolean {
  if (state.status !== 'closed') return state.status !== 'cancelled'
  const secret = secretKept(state)
  return [...sealed.values()].some(
    ({ bidderId, amount }) => secret === null || bidderId !== secret.winnerId || amount <= secret.price,
  )
}

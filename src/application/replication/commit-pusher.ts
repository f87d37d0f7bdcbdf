import type { Commit } from '../../domain/commit.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { Logger } from '../../ports/system/logger.js'
import type { Signer } from '../../ports/system/signer.js'
import type { Timer, Timers } from '../../ports/system/timers.js'
import type { Published, PublishingEventLog } from '../log/publishing-event-log.js'
import type { PeerTable } from '../mesh/peer-table.js'
import { gather } from '../turns/gather.js'
import type { Replication } from './replication.js'

export interface CommitPusherDeps {
  readonly peerClient: Pick<PeerClient, 'pushCommits'>
  readonly replication: Pick<Replication, 'stored'>
  readonly signer: Pick<Signer, 'publicKey'>
  readonly peerTable: PeerTable
  readonly eventLog: PublishingEventLog
  readonly timers: Timers
  readonly logger: Logger
}

/** The most bytes that wait for one slow peer; the peer pulls what does not fit. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024
const MAX_PUSH_COMMITS = 256
const MAX_PUSH_BYTES = 4 * 1024 * 1024
const PUSH_TIMEOUT_MS = 5_000
const RETRY_DELAY_MS = 500
const FLUSH_MS = 500

interface Outbox {
  commits: Commit[]
  bytes: number
  sending: Promise<void> | null
}

/** Sends each commit that this node writes as a home to every reachable peer, in order and in batches. */
export class CommitPusher {
  readonly #deps: CommitPusherDeps
  readonly #nodeId: string
  readonly #outboxes = new Map<string, Outbox>()
  #unlisten: (() => void) | null = null

  constructor(deps: CommitPusherDeps, options: { nodeId: string }) {
    this.#deps = deps
    this.#nodeId = options.nodeId
  }

  /** What waits for each peer. */
  get backlog(): { readonly nodeId: string; readonly commits: number; readonly bytes: number }[] {
    return [...this.#outboxes].map(([nodeId, { commits, bytes }]) => ({
      nodeId,
      bytes,
      commits: commits.length,
    }))
  }

  start(): void {
    this.#unlisten ??= this.#deps.eventLog.onPublished((published) => this.#onPublished(published))
  }

  /** Waits a moment for the queues to empty; peers pull the rest later. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#unlisten) return
    this.#unlisten()
    const sending = [...this.#outboxes.values()].flatMap(({ sending }) => sending ?? [])
    let timer: Timer | null = null
    const deadline = new Promise<void>((resolve) => {
      timer = this.#deps.timers.after(FLUSH_MS, resolve)
    })
    await Promise.race([Promise.all(sending), deadline])
    ;(timer as Timer | null)?.cancel()
    this.#unlisten = null
    this.#outboxes.clear()
  }

  #onPublished({ commit }: Published): void {
    if (commit.signer !== this.#deps.signer.publicKey) return
    const { position: _, ...sent } = commit
    for (const { info } of this.#deps.peerTable.reachable()) this.#post(info.nodeId, sent)
  }

  #post(nodeId: string, commit: Commit): void {
    const outbox = this.#outboxes.get(nodeId) ?? { commits: [], bytes: 0, sending: null }
    this.#outboxes.set(nodeId, outbox)
    if (outbox.bytes + commit.body.length > MAX_QUEUED_BYTES) {
      // The peer sees the gap with the next commit that reaches it, and pulls.
      this.#deps.logger.warn({ nodeId, dropped: outbox.commits.length }, 'a peer is too slow for pushes')
      outbox.commits = []
      outbox.bytes = 0
    }
    outbox.commits.push(commit)
    outbox.bytes += commit.body.length
    outbox.sending ??= this.#send(nodeId, outbox)
  }

  async #send(nodeId: string, outbox: Outbox): Promise<void> {
    await gather()
    while (outbox.commits.length > 0 && this.#unlisten !== null) {
      const peer = this.#deps.peerTable.get(nodeId)
      if (!peer || peer.state === 'dead' || peer.state === 'left') {
        this.#outboxes.delete(nodeId)
        break
      }
      const batch = takeBatch(outbox)
      try {
        const options = { timeoutMs: PUSH_TIMEOUT_MS }
        const { address } = peer.info
        const stored = await this.#deps.peerClient.pushCommits(address, this.#nodeId, batch, options)
        this.#deps.replication.stored(nodeId, stored)
      } catch (error) {
        this.#deps.logger.debug({ peer: peer.info.name, err: error, commits: batch.length }, 'a push failed')
        outbox.commits.unshift(...batch)
        outbox.bytes += bytesOf(batch)
        await new Promise<void>((resolve) => {
          this.#deps.timers.after(RETRY_DELAY_MS, resolve)
        })
      }
    }
    outbox.sending = null
  }
}

function takeBatch(outbox: Outbox): Commit[] {
  let count = 0
  let bytes = 0
  for (const commit of outbox.commits) {
    if (count > 0 && (count >= MAX_PUSH_COMMITS || bytes + commit.body.length > MAX_PUSH_BYTES)) break
    count += 1
    bytes += commit.body.length
  }
  outbox.bytes -= bytes
  return outbox.commits.splice(0, count)
}

function bytesOf(commits: readonly Commit[]): number {
  return commits.reduce((sum, { body }) => sum + body.length, 0)
}

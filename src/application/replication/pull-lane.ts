import type { Commit } from '../../domain/commit.js'
import type { PeerClient } from '../../ports/mesh/peer-client.js'
import type { PulledPage } from '../../ports/mesh/sync-messages.js'
import type { Timers } from '../../ports/system/timers.js'
import type { BadCommitError } from '../log/commit.js'
import type { Missing, PullQueue } from './pull-queue.js'
import type { Replicator } from './replicator.js'

export interface PullLaneDeps {
  readonly peerClient: Pick<PeerClient, 'pullCommits'>
  readonly replicator: Pick<Replicator, 'ingestPages'>
  readonly queue: PullQueue
  readonly timers: Timers
}

export interface PullLaneOptions {
  readonly nodeId: string
  /** The peer's present address; null when it is not to be asked any more. */
  readonly address: () => string | null
  /** Whether others wait and this peer's turn is over. */
  readonly isOver: () => boolean
  readonly onStored: (events: number) => void
  /** The peer keeps this node waiting. */
  readonly onSlow: () => void
  /** What the peer sent was refused. */
  readonly onRefused: (errors: readonly BadCommitError[]) => void
  /** The peer sent something false, or not what it said it had. */
  readonly onBroken: (missing: Missing, why: Broken) => void
  /** Nobody else is known to have what is missing of an auction. */
  readonly onGivenUp: () => void
}

/** Auctions asked for in one request; the answer holds as many as fit. */
export const MAX_WANTS = 64
/** A peer that takes longer for a page is taken to stall, and others are asked. */
export const PAGE_TIMEOUT_MS = 5_000
/** A peer that takes longer than this keeps no other from its turn. */
export const SLOW_PAGE_MS = 1_000

/** The peer sent something false, nothing, or more than this node stores of the auction's author. */
export type Broken = 'lied' | 'empty' | 'spent'

/** The peer answers, and has nothing of what it said it has. */
export class NothingThereError extends Error {
  readonly code = 'NOTHING_THERE'
  constructor() {
    super('the peer has nothing of all that it was asked for')
    this.name = 'NothingThereError'
  }
}

/** An auction that this lane is pulling. */
interface Held {
  readonly missing: Missing
  /** The next event to ask for, after what has arrived, even if that is not stored yet. */
  next: number
}

interface Request {
  readonly wants: readonly Held[]
  readonly answer: Promise<readonly PulledPage[]>
}

/** What arrived of one auction. `past`: the seq after the last event that arrived. */
interface Received {
  readonly held: Held
  readonly commits: readonly Commit[]
  readonly past: number
}

/**
 * Pulls from one peer, page after page: while one page is written, the next is checked, and one more is on its way. An
 * auction's pages are taken in order, and by one lane at a time.
 */
export class PullLane {
  readonly #deps: PullLaneDeps
  readonly #options: PullLaneOptions
  /** Taken from the queue, in the order in which they are asked for. */
  readonly #held = new Set<Held>()
  #isSlow = false

  constructor(deps: PullLaneDeps, options: PullLaneOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** Whether this node has been waiting for a page for so long that others need not wait as well. */
  get isSlow(): boolean {
    return this.#isSlow
  }

  /**
   * Resolves once there is nothing more to ask the peer for, or its turn is over. Rejects where it does not answer in
   * time, answers something else or nothing, or the log fails. What was not stored is back in the queue then.
   */
  async run(): Promise<void> {
    let storing: Promise<void> = Promise.resolve()
    try {
      let request = this.#ask()
      while (request !== null) {
        const received = readAnswer(request.wants, await request.answer)
        for (const { held, past } of received) held.next = Math.max(held.next, past)
        request = this.#ask(received)
        // The disk syncs the page before while this one is checked: two at a time, no more.
        const before = storing
        storing = this.#store(received)
        storing.catch(() => {})
        await before
        if (request === null) {
          await storing
          request = this.#ask()
        }
      }
    } finally {
      await storing.catch(() => {})
      for (const { missing } of this.#held) this.#giveBack(missing)
      this.#held.clear()
    }
  }

  /** `coming`: what came in the answer before, and is not stored yet. */
  #ask(coming: readonly Received[] = []): Request | null {
    const { queue, peerClient } = this.#deps
    const { nodeId, address, isOver } = this.#options
    const to = address()
    if (to === null || isOver()) return null
    for (const missing of queue.take(nodeId, MAX_WANTS - this.#held.size))
      this.#held.add({ missing, next: missing.fromSeq })
    const stuck = new Set(coming.filter(hasNothing).map(({ held }) => held))
    const wants = [...this.#held].filter((held) => held.next <= this.#untilSeq(held) && !stuck.has(held))
    if (wants.length === 0) return null
    const asked = wants.map(({ missing, next }) => ({ auctionId: missing.auctionId, fromSeq: next }))
    const answer = this.#timed(peerClient.pullCommits(to, asked, { timeoutMs: PAGE_TIMEOUT_MS }))
    // It may fail while the page before is being stored: that is reported when its turn comes.
    answer.catch(() => {})
    return { wants, answer }
  }

  async #timed<T>(answer: Promise<T>): Promise<T> {
    const timer = this.#deps.timers.after(SLOW_PAGE_MS, () => {
      this.#isSlow = true
      this.#options.onSlow()
    })
    try {
      return await answer
    } finally {
      timer.cancel()
      this.#isSlow = false
    }
  }

  /** What this peer has of it; nothing if the peer is not to be asked any more. */
  #untilSeq({ missing }: Held): number {
    return missing.sources.get(this.#options.nodeId) ?? 0
  }

  async #store(received: readonly Received[]): Promise<void> {
    const { onBroken, onStored } = this.#options
    // One that has been dropped meanwhile is no concern any more.
    const wanted = received.filter(({ held }) => this.#held.has(held))
    const intake = await this.#deps.replicator.ingestPages(
      wanted.map(({ commits }) => commits),
      this.#options.nodeId,
    )
    onStored(intake.events)
    if (intake.refused.length > 0) this.#options.onRefused(intake.refused)
    const refused = new Set(intake.refused.map(({ commit }) => commit.auctionId))
    // What was asked for follows what is stored: a gap is the peer's fault.
    for (const { auctionId } of intake.gaps) refused.add(auctionId)
    const spent = new Map(intake.spent.map(({ auctionId, author }) => [auctionId, author]))
    let broken = 0
    for (const one of wanted) {
      const { held, past } = one
      if (!this.#held.has(held)) continue
      const { missing } = held
      const lied = refused.has(missing.auctionId)
      const spentBy = spent.get(missing.auctionId)
      if (!lied && spentBy === undefined) missing.fromSeq = Math.max(missing.fromSeq, past)
      const untilSeq = this.#untilSeq(held)
      if (lied || (hasNothing(one) && past <= untilSeq)) {
        broken += 1
        onBroken(missing, lied ? 'lied' : 'empty')
        this.#letGo(held, false)
      } else if (spentBy !== undefined) {
        // A peer that only passes on what another has written is not at fault.
        if (spentBy === this.#options.nodeId) broken += 1
        onBroken(missing, 'spent')
        this.#letGo(held, true)
      } else if (past > untilSeq) this.#letGo(held, true)
    }
    if (wanted.length > 0 && broken === wanted.length && intake.stored === 0) throw new NothingThereError()
  }

  #letGo(held: Held, isHad: boolean): void {
    const { missing } = held
    this.#held.delete(held)
    this.#deps.queue.drop(missing, this.#options.nodeId)
    if (!this.#deps.queue.giveBack(missing) && !isHad) this.#options.onGivenUp()
  }

  #giveBack(missing: Missing): void {
    if (!this.#deps.queue.giveBack(missing)) this.#options.onGivenUp()
  }
}

function hasNothing({ commits }: Received): boolean {
  return commits.length === 0
}

/** Throws if the answer does not fit the question. */
function readAnswer(wants: readonly Held[], pages: readonly PulledPage[]): Received[] {
  if (pages.length === 0 || pages.length > wants.length) throw new Error('the peer sent no page, or too many')
  return pages.map(({ auctionId, commits }, i) => {
    const held = wants[i] as Held
    const isAsked = auctionId === held.missing.auctionId && commits.every((one) => one.auctionId === auctionId)
    if (!isAsked) throw new Error('the peer sent other auctions than it was asked for')
    const last = commits.at(-1)
    // A page without progress counts as none.
    if (last === undefined || last.lastSeq < held.next) return { held, commits: [], past: held.next }
    return { held, commits, past: last.lastSeq + 1 }
  })
}

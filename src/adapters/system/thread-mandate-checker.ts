import { Worker } from 'node:worker_threads'
import { readBodyAgain } from '../../application/log/written-body.js'
import { mandateFault } from '../../application/submissions/check-mandates.js'
import { commitFault, textFault } from '../../application/submissions/commit-fault.js'
import type { Commit } from '../../domain/commit.js'
import type {
  CommitCheck,
  CommitFault,
  MandateCheck,
  MandateChecker,
  MandateFault,
} from '../../ports/mesh/mandate-checker.js'
import type { CheckRequest } from './mandate-check-worker.js'
import { Ed25519Verifier } from './node-key.js'

/** Commits that are checked here before a thread is worth its start. */
const CHECKED_HERE = 16
/** Commits at the thread at once: it never has to wait for one, and what it has no time for is checked here. */
const MAX_WAITING = 64

export interface ThreadMandateCheckerOptions {
  /** The caller's thread serves others: nothing is checked on it, however much waits. */
  readonly neverHere?: boolean
}

interface Waiting {
  /** What the thread answers is of the kind that it was asked for. */
  readonly resolve: (fault: never) => void
  readonly reject: (error: Error) => void
}

/**
 * Checks mandates on a thread of its own, once there are many, and on the caller's as well where that one has enough.
 */
export class ThreadMandateChecker implements MandateChecker {
  readonly #verifier = new Ed25519Verifier()
  readonly #neverHere: boolean
  readonly #waiting: Waiting[] = []
  #checked = 0
  #worker: Worker | null = null
  #closed = false

  constructor({ neverHere = false }: ThreadMandateCheckerOptions = {}) {
    this.#neverHere = neverHere
  }

  /** Rejects where the thread fails meanwhile; the next check starts another one. */
  async check({ auctionId, body, signer, ...facts }: MandateCheck): Promise<MandateFault | null> {
    const { seller, openedBy, keptByCluster } = facts
    const check: MandateCheck = { auctionId, body, signer, seller, openedBy, keptByCluster }
    if (this.#isCheckedHere()) return mandateFault(check, readBodyAgain(body), this.#verifier)
    return this.#ask({ kind: 'mandates', check })
  }

  /** Likewise. */
  async checkCommit(check: CommitCheck): Promise<CommitFault | null> {
    if (this.#isCheckedHere()) return commitFault(check, this.#verifier)
    return this.#ask({ kind: 'commit', check })
  }

  /** Likewise. */
  async checkText(commit: Commit): Promise<string | null> {
    if (this.#isCheckedHere()) return textFault(commit)
    return this.#ask({ kind: 'text', check: commit })
  }

  #ask<Fault>(request: CheckRequest): Promise<Fault | null> {
    this.#worker ??= this.#start()
    this.#worker.postMessage(request)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
    })
  }

  /** Ends the thread; what is still being checked is rejected. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
  }

  #isCheckedHere(): boolean {
    if (this.#closed) throw new Error('the thread that checks mandates has ended')
    return !this.#neverHere && (++this.#checked <= CHECKED_HERE || this.#waiting.length >= MAX_WAITING)
  }

  #start(): Worker {
    const worker = new Worker(new URL('./mandate-check-worker.js', import.meta.url))
    worker.on('message', (fault: unknown) => this.#waiting.shift()?.resolve(fault as never))
    worker.on('error', (cause) => this.#fail(worker, cause))
    worker.on('exit', (code) => this.#fail(worker, new Error(`the thread that checks mandates has ended (${code})`)))
    return worker
  }

  #fail(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

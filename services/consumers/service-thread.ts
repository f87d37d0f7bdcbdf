import { Worker } from 'node:worker_threads'
import type { PublishingEventLog } from '../../src/application/log/publishing-event-log.js'
import type { ConsumerStatus } from '../../src/ports/store/consumer-status.js'
import { ConsumerStoreError } from '../../src/ports/store/consumer-store.js'
import type { Logger } from '../../src/ports/system/logger.js'
import type { Timers } from '../../src/ports/system/timers.js'
import type { FromThread, ThreadError, ThreadSetup, ToThread } from './thread-messages.js'

export interface ServiceThreadDeps {
  readonly eventLog: Pick<PublishingEventLog, 'onPublished'>
  readonly timers: Timers
  readonly logger: Logger
}

export interface ServiceThreadOptions extends ThreadSetup {
  /** Of the consumer. */
  readonly name: string
  /** The file that the thread runs. */
  readonly entry: URL
}

/** Commits of this time are announced together. */
const GATHER_MS = 50
/** A node that has just started has better things to do; the first question starts the thread at once. */
const START_AFTER_MS = 500
const FIRST_RESTART_MS = 1_000
const LAST_RESTART_MS = 60_000
const STOP_TIMEOUT_MS = 5_000
const MAX_HEAP_MB = 512

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/**
 * A service on a thread of its own beside a node. If the thread fails, it is started again after a while; the node does
 * not notice.
 */
export class ServiceThread<Reader extends object> {
  /** Answers from the service's thread. */
  readonly reader: Reader
  readonly #deps: ServiceThreadDeps
  readonly #options: ServiceThreadOptions
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | null = null
  #grown = new Map<string, number>()
  #calls = 0
  #restartMs = FIRST_RESTART_MS
  #status: ConsumerStatus
  #stopping: Promise<void> | null = null
  #unlisten: () => void = () => {}
  #timer: { cancel(): void } | null = null
  #gathering: { cancel(): void } | null = null

  constructor(deps: ServiceThreadDeps, options: ServiceThreadOptions) {
    this.#deps = deps
    this.#options = options
    this.#status = notStarted(options.name)
    this.reader = new Proxy({} as Reader, {
      // This object is no promise, so `then` is undefined.
      get: (_, method) =>
        method === 'then' ? undefined : (...args: readonly unknown[]) => this.#call(String(method), args),
    })
  }

  /** As the thread has shown it last, at most a quarter of a second ago. */
  get status(): ConsumerStatus {
    return this.#status
  }

  start(): void {
    this.#unlisten = this.#deps.eventLog.onPublished(({ commit, events }) => {
      if (this.#worker === null) return
      this.#grown.set(commit.auctionId, (this.#grown.get(commit.auctionId) ?? 0) + events.length)
      this.#gathering ??= this.#deps.timers.after(GATHER_MS, () => this.#announce())
    })
    this.#timer = this.#deps.timers.after(START_AFTER_MS, () => this.#run())
  }

  /** Lets the step under way finish, or gives it up: it is then repeated at the next start. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#unlisten()
    this.#timer?.cancel()
    this.#gathering?.cancel()
    const worker = this.#worker
    if (worker === null) return
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
    const late = this.#deps.timers.after(STOP_TIMEOUT_MS, () => void worker.terminate())
    this.#send({ kind: 'stop' })
    await ended
    late.cancel()
  }

  #run(): void {
    if (this.#worker !== null || this.#stopping !== null) return
    this.#timer?.cancel()
    const { name, entry, dataDir, database, holder } = this.#options
    const setup: ThreadSetup = { dataDir, database, holder }
    const worker = new Worker(entry, {
      name,
      workerData: setup,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
    })
    this.#worker = worker
    worker.on('message', (message: FromThread) => this.#hear(message))
    worker.on('error', (error) => this.#ended(worker, error))
    worker.on('exit', (code) => this.#ended(worker, new Error(`the thread has ended (${code})`)))
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = null
    this.#grown.clear()
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
    if (this.#stopping !== null) return
    const { name } = this.#options
    this.#status = { ...this.#status, state: 'failing', error: error.message }
    this.#deps.logger.error(
      { consumer: name, err: error, retryMs: this.#restartMs },
      'a service failed; will restart it',
    )
    this.#timer = this.#deps.timers.after(this.#restartMs, () => this.#run())
    this.#restartMs = Math.min(2 * this.#restartMs, LAST_RESTART_MS)
  }

  #announce(): void {
    this.#gathering = null
    const auctions = this.#grown
    this.#grown = new Map()
    this.#send({ kind: 'grown', auctions })
  }

  #hear(message: FromThread): void {
    switch (message.kind) {
      case 'status':
        this.#status = message.status
        if (message.status.state === 'following') this.#restartMs = FIRST_RESTART_MS
        return
      case 'log':
        this.#deps.logger[message.level](message.fields, message.message)
        return
      case 'answer':
        this.#settled(message.id)?.resolve(message.value)
        return
      case 'failed':
        this.#settled(message.id)?.reject(errorOf(message.error))
        return
      default: {
        const unknown: never = message
        throw new Error(`unknown message ${JSON.stringify(unknown)}`)
      }
    }
  }

  #settled(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    return waiting
  }

  #call(method: string, args: readonly unknown[]): Promise<unknown> {
    this.#run()
    if (this.#worker === null) return Promise.reject(new Error('the service is stopping'))
    const id = ++this.#calls
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      this.#send({ kind: 'call', id, method, args })
    })
  }

  #send(message: ToThread): void {
    this.#worker?.postMessage(message)
  }
}

function errorOf({ name, message, facts }: ThreadError): Error {
  const { code } = facts
  if (name === 'ConsumerStoreError') return new ConsumerStoreError(code as ConsumerStoreError['code'], message)
  return Object.assign(new Error(message), facts, { name })
}

function notStarted(name: string): ConsumerStatus {
  return {
    name,
    state: 'stopped',
    generation: null,
    heldBy: null,
    done: 0,
    total: 0,
    behind: 0,
    lagMs: 0,
    error: null,
    stopped: [],
  }
}

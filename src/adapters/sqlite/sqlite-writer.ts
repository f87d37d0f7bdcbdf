import { Worker } from 'node:worker_threads'
import { gather } from '../../application/turns/gather.js'
import {
  DuplicateCommandError,
  LogBrokenError,
  LogBusyError,
  LogFullError,
  SeqConflictError,
} from '../../ports/store/event-log.js'
import { type Histogram, type Metrics, NO_METRICS } from '../../ports/system/metrics.js'
import { SignatureSlots } from './signature-slots.js'
import type { SqliteTestOptions } from './sqlite-connection.js'
import { StoreError } from './store-error.js'
import type {
  BatchFailure,
  WriteOperation,
  WriteResult,
  WriterReply,
  WriterRequest,
  WriterSetup,
} from './write-operations.js'

/** Operations in one transaction. */
const MAX_BATCH_OPERATIONS = 1_024
/**
 * Batches at the writer thread at once: it starts on the second while this thread still takes in the first's answer.
 */
const MAX_FLYING_BATCHES = 2
const GATHER_TURNS = 3
/** Bytes of text in one transaction; one operation may be larger, and then goes alone. */
const MAX_BATCH_BYTES = 8 * 1024 * 1024
/** Past either, a write is refused with `LogBusyError`. */
const MAX_WAITING_OPERATIONS = 20_000
const MAX_WAITING_BYTES = 128 * 1024 * 1024

interface Waiting {
  readonly operation: WriteOperation
  readonly bytes: number
  readonly sign: (() => string) | null
  readonly resolve: (position: number) => void
  readonly reject: (error: Error) => void
}

/**
 * The main thread's side of the writer thread. What is asked while batches are being written waits, and goes as
 * the next batch: the slower the disk, the larger the batches. Operations are carried out in the order of the calls.
 */
export class SqliteWriter {
  readonly #worker: Worker
  readonly #signatures: SignatureSlots
  readonly #exited: Promise<void>
  /** Resolves when the writer has failed for good; not when it is closed. */
  readonly broken: Promise<LogBrokenError>
  #waiting: Waiting[] = []
  #waitingBytes = 0
  readonly #flying: Waiting[][] = []
  #scheduled = false
  /** The first slot of the next batch: as many as fly at once have slots of their own. */
  #nextSlot = 0
  #broken: LogBrokenError | null = null
  #closing: Promise<void> | null = null
  #onIdle: (() => void)[] = []
  #reportBroken: (error: LogBrokenError) => void = () => {}

  readonly #commitSeconds: Histogram
  readonly #groupSizes: Histogram

  private constructor(worker: Worker, signatures: SignatureSlots, metrics: Metrics) {
    this.#worker = worker
    this.#signatures = signatures
    this.#commitSeconds = metrics.seconds('vendue_commit_seconds', 'Transactions of the database with their disk sync.')
    this.#groupSizes = metrics.sizes('vendue_commit_group_size', 'Writes that share one disk sync.')
    metrics.gauge('vendue_writer_queue_bytes', 'Text that waits to be written.', () => this.#waitingBytes)
    metrics.gauge('vendue_writer_queue_depth', 'Writes that wait, and those under way.', () =>
      this.#flying.reduce((sum, { length }) => sum + length, this.#waiting.length),
    )
    this.broken = new Promise((resolve) => {
      this.#reportBroken = resolve
    })
    worker.on('message', (reply: WriterReply) => this.#onReply(reply))
    worker.on('error', (cause) => this.#break(new LogBrokenError({ cause })))
    this.#exited = new Promise((resolve) => {
      worker.on('exit', (code) => {
        this.#break(new LogBrokenError({ cause: new Error(`the writer thread ended (${code})`) }))
        resolve()
      })
    })
  }

  /** Resolves once the file is open, checked and up to date; rejects with `StoreError` where it cannot be used. */
  static async open(path: string, test: SqliteTestOptions = {}, metrics: Metrics = NO_METRICS): Promise<SqliteWriter> {
    const signatures = SignatureSlots.sized(MAX_FLYING_BATCHES * MAX_BATCH_OPERATIONS)
    const setup: WriterSetup = { path, test, signatures }
    const worker = new Worker(new URL('./sqlite-writer-worker.js', import.meta.url), { workerData: setup })
    const reply = await new Promise<WriterReply>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      worker.once('exit', (code) => reject(new Error(`the writer thread ended (${code}) before it was ready`)))
    })
    if (reply.type === 'ready') return new SqliteWriter(worker, new SignatureSlots(signatures), metrics)
    await worker.terminate()
    throw openingError(reply)
  }

  /**
   * Resolves with the position of an append (0 for anything else) once it is durable. `bytes` is about how much
   * text the operation carries; an append is signed by `sign`, while the writer thread is at work on it.
   */
  write(operation: WriteOperation, bytes: number, sign: (() => string) | null = null): Promise<number> {
    if (this.#closing !== null) return Promise.reject(closedError())
    if (this.#broken !== null) return Promise.reject(this.#broken)
    if (
      this.#waiting.length >= MAX_WAITING_OPERATIONS ||
      (this.#waiting.length > 0 && this.#waitingBytes + bytes > MAX_WAITING_BYTES)
    ) {
      return Promise.reject(new LogBusyError())
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ operation, bytes, sign, resolve, reject })
      this.#waitingBytes += bytes
      this.#schedule()
    })
  }

  /** Resolves once nothing waits to be written any more. */
  async settled(): Promise<void> {
    while (this.#broken === null && (this.#flying.length > 0 || this.#waiting.length > 0)) {
      await new Promise<void>((resolve) => this.#onIdle.push(resolve))
    }
  }

  /** Lets what waits be written first. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.settled()
    this.#post({ type: 'close' })
    await this.#exited
  }

  /**
   * A few microtasks later: actors whom one answer woke append in step, and so share a batch; one actor that decides
   * batch after batch does not keep its first waiting for its second.
   */
  #schedule(): void {
    if (this.#scheduled || this.#flying.length >= MAX_FLYING_BATCHES) return
    this.#scheduled = true
    void gather(GATHER_TURNS).then(() => {
      this.#scheduled = false
      this.#send()
    })
  }

  #send(): void {
    if (this.#broken !== null || this.#waiting.length === 0) return
    let count = 0
    let bytes = 0
    for (const next of this.#waiting) {
      if (count > 0 && (count >= MAX_BATCH_OPERATIONS || bytes + next.bytes > MAX_BATCH_BYTES)) break
      count++
      bytes += next.bytes
    }
    const batch = this.#waiting.splice(0, count)
    this.#waitingBytes -= bytes
    this.#flying.push(batch)
    const slot = this.#nextSlot
    this.#nextSlot = slot === 0 ? MAX_BATCH_OPERATIONS : 0
    batch.forEach(({ operation }, i) => {
      if (operation.kind !== 'append') return
      operation.signatureSlot = slot + i
      this.#signatures.clear(slot + i)
    })
    this.#post({ type: 'batch', operations: batch.map(({ operation }) => operation) })
    batch.forEach(({ sign }, i) => {
      if (sign !== null) this.#signatures.put(slot + i, sign())
    })
  }

  #post(request: WriterRequest): void {
    this.#worker.postMessage(request)
  }

  #onReply(reply: WriterReply): void {
    const batch = this.#flying.shift() ?? []
    if (reply.type === 'written') {
      this.#commitSeconds.observe(reply.ms / 1_000)
      this.#groupSizes.observe(batch.length)
      batch.forEach((item, i) => {
        settle(item, reply.results[i])
      })
    } else if (reply.type === 'failed') {
      const error = batchError(reply.failure, reply.message)
      if (error instanceof LogBrokenError) this.#break(error)
      for (const { reject } of batch) reject(error)
    }
    if (this.#waiting.length > 0) this.#schedule()
    else if (this.#flying.length === 0) this.#idle()
  }

  /** From here on nothing is known to be durable any more, so everything is refused. */
  #break(error: LogBrokenError): void {
    if (this.#broken !== null) return
    this.#broken = error
    if (this.#closing === null) this.#reportBroken(error)
    const refused = [...this.#flying.splice(0).flat(), ...this.#waiting]
    this.#waiting = []
    this.#waitingBytes = 0
    for (const { reject } of refused) reject(error)
    this.#idle()
  }

  #idle(): void {
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }
}

export function closedError(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store has been closed')
}

function openingError(reply: WriterReply): Error {
  if (reply.type !== 'unusable') return new Error(`the writer thread answered ${reply.type} before it was ready`)
  const cause = new Error(reply.message)
  if (reply.code === 'DISK_FULL') return new LogFullError({ cause })
  return reply.code === null ? new LogBrokenError({ cause }) : new StoreError(reply.code, reply.message)
}

function batchError(failure: BatchFailure, message: string): Error {
  const options = { cause: new Error(message) }
  if (failure === 'DISK_FULL') return new LogFullError(options)
  if (failure === 'GONE') return new LogBrokenError({ gone: message })
  return failure === 'BUSY' ? new LogBusyError(options) : new LogBrokenError(options)
}

function settle({ operation, resolve, reject }: Waiting, result: WriteResult | undefined): void {
  if (result?.ok) resolve(result.position)
  else reject(refusalOf(operation, result))
}

function refusalOf(operation: WriteOperation, result: Exclude<WriteResult, { ok: true }> | undefined): Error {
  if (result === undefined) return new LogBrokenError({ cause: new Error('an answer is missing') })
  if (result.code === 'STORE_REFUSED' || operation.kind !== 'append') {
    const message = result.code === 'STORE_REFUSED' ? result.message : result.code
    return new StoreError('STORE_REFUSED', `the store refused to write: ${message}`)
  }
  if (result.code === 'DUPLICATE_COMMAND') {
    return new DuplicateCommandError(operation.auctionId, result.commandId)
  }
  return new SeqConflictError(operation.auctionId, operation.firstSeq - 1, result.head)
}

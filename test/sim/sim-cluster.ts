import type { Append } from '../../src/ports/store/event-log.js'
import { type SharedLog, SharedLogError } from '../../src/ports/store/shared-log.js'
import type { ClusterSigner } from '../../src/ports/system/cluster-signer.js'
import type { Signer } from '../../src/ports/system/signer.js'
import type { MemorySharedLog } from '../support/memory/memory-shared-log.js'
import type { Checker } from './checker.js'
import { EPOCH_MS, type Owner, type Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'
import type { SimProcess } from './sim-process.js'

export interface SimClusterDeps {
  readonly scheduler: Scheduler
  readonly checker: Checker
  readonly random: SeededRandom
  /** The cluster's key. */
  readonly signer: Signer
  /** Another one: a broken one. */
  readonly log: MemorySharedLog
}

/** What a node waits for an answer of the log. */
const CALL_TIMEOUT_MS = 1_000
/** Calls after which it is not known whether something has been stored. */
const WRITES = new Set<keyof SharedLog>(['append', 'record'])

/** A log that some machines share, with the way there: slow, cut off, down, and at times without its last commits. */
export class SimCluster {
  readonly signer: ClusterSigner
  /** Names of the machines that do not reach the log. */
  readonly cut = new Set<string>()
  isUp = true
  delayMs = 1
  /** Name of the machine that has appended last. */
  lastWriter: string | null = null
  readonly #deps: SimClusterDeps

  constructor(deps: SimClusterDeps) {
    this.#deps = deps
    const { publicKey, sign } = deps.signer
    const rotationsSince = (key: string) => (key === publicKey ? [] : null)
    this.signer = { publicKey, firstKey: publicKey, sign: (text) => sign(text), rotationsSince }
    const { log, checker } = deps
    const append = log.append.bind(log)
    log.append = (chain) => {
      const result = append(chain)
      if (result.appended) for (const entry of chain) checker.logged(entry)
      return result
    }
  }

  /** As one life of a node reaches it. What was sent arrives, whatever has become of the sender. */
  connect(process: SimProcess): SharedLog {
    const { checker, log, scheduler } = this.#deps
    const now = () => Math.floor(EPOCH_MS + scheduler.now)
    const connection = log.connect({
      now,
      turn: () => Promise.resolve(),
      before: async (call) => {
        if (!this.#reaches(process)) await this.#unanswered(process, 'LOG_UNREACHABLE')
        await this.#wait(`${process.name} asks the log: ${call}`, null)
        if (!this.isUp) await this.#unanswered(process, 'LOG_UNREACHABLE')
      },
      after: async (call) => {
        if (!this.#reaches(process))
          await this.#unanswered(process, WRITES.has(call) ? 'LOG_OUTCOME_UNKNOWN' : 'LOG_UNREACHABLE')
        await this.#wait(`the log answers ${process.name}: ${call}`, process)
      },
    })
    const append = connection.append.bind(connection)
    connection.append = async (entries: readonly Append[]) => {
      this.lastWriter = process.name
      const results = await append(entries)
      entries.forEach(({ commit }, i) => {
        if (results[i]?.appended) checker.answeredByLog(commit)
      })
      return results
    }
    return connection
  }

  /** A primary is gone, and another one takes its place; `lost`: what it has of all since then is nothing. */
  failOver(lost: unknown | null): void {
    const { checker, log, scheduler } = this.#deps
    if (lost === null) log.session++
    else {
      log.restore(lost)
      scheduler.note('the log has lost its end')
      checker.logLost((auctionId) => log.find(auctionId)?.head.seq ?? 0)
    }
    this.isUp = true
  }

  /** Where nobody has to wait for an answer. */
  get log(): MemorySharedLog {
    return this.#deps.log
  }

  #reaches({ name }: SimProcess): boolean {
    return this.isUp && !this.cut.has(name)
  }

  async #unanswered(process: SimProcess, code: 'LOG_UNREACHABLE' | 'LOG_OUTCOME_UNKNOWN'): Promise<never> {
    await new Promise<void>((resolve) => {
      this.#deps.scheduler.after(CALL_TIMEOUT_MS, `${process.name} hears nothing of the log`, process, resolve)
    })
    throw new SharedLogError(code, 'the log does not answer')
  }

  #wait(label: string, owner: Owner | null): Promise<void> {
    const { random, scheduler } = this.#deps
    return new Promise((resolve) => {
      scheduler.after(0.1 + random.exponential(this.delayMs), label, owner, resolve)
    })
  }
}

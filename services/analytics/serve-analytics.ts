import type { DatabaseAddress } from '../../src/adapters/system/database-address.js'
import { RemoteLogs } from '../../src/application/consumers/remote-logs.js'
import { type StoredProgress, storedProgress } from '../../src/application/consumers/stored-progress.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { ConsumerStatus } from '../../src/ports/store/consumer-status.js'
import type { Logger } from '../../src/ports/system/logger.js'
import { openConsumer } from '../consumers/open-consumer.js'
import { analyticsService } from './analytics-service.js'

export interface AnalyticsOptions {
  /** Of the node whose events are read. */
  readonly api: NodeApi
  readonly database: DatabaseAddress
  readonly holder: string
  readonly logger: Logger
}

/** Analytics as a process of its own, for any node that it can reach. */
export class AnalyticsProcess {
  readonly #opened: ReturnType<typeof openAnalytics>
  readonly #logs: RemoteLogs

  constructor({ api, ...options }: AnalyticsOptions) {
    this.#logs = new RemoteLogs({ api })
    this.#opened = openAnalytics(this.#logs, options)
  }

  get place(): string {
    return this.#opened.place
  }

  status(): ConsumerStatus {
    return this.#opened.consumer.status()
  }

  start(): void {
    this.#opened.consumer.start()
  }

  progress(): Promise<StoredProgress> {
    return storedProgress(this.#opened.store, this.#logs)
  }

  rebuild(onProgress: (progress: { done: number; total: number }) => void, signal: AbortSignal): Promise<void> {
    return this.#opened.consumer.rebuild(onProgress, signal)
  }

  close(): Promise<void> {
    return this.#opened.close()
  }
}

function openAnalytics(logs: RemoteLogs, options: Omit<AnalyticsOptions, 'api'>) {
  return openConsumer(analyticsService, { logs, ...options })
}

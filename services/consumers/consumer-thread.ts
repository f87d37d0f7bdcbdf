import { readlinkSync } from 'node:fs'
import { setPriority } from 'node:os'
import { basename, join } from 'node:path'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { DATABASE_FILE } from '../../src/adapters/sqlite/open-store.js'
import { SqliteLogReader } from '../../src/adapters/sqlite/sqlite-log-reader.js'
import { SqliteReader } from '../../src/adapters/sqlite/sqlite-reader.js'
import { LocalLogs } from '../../src/application/consumers/local-logs.js'
import type { LogsListener } from '../../src/ports/store/auction-logs.js'
import type { Logger } from '../../src/ports/system/logger.js'
import { type ConsumerService, openConsumer } from './open-consumer.js'
import { type FromThread, type ThreadSetup, type ToThread, threadError } from './thread-messages.js'

const STATUS_INTERVAL_MS = 250
/** Bids come first: the system gives this thread what they leave. */
const NICENESS = 10

/**
 * Runs a service on a thread beside a node, so that nothing of it is on the way of a bid: it reads the node's log by
 * itself, and is only informed which auctions have grown.
 */
export function runConsumerThread<Change, Reader extends object>(service: ConsumerService<Change, Reader>): void {
  const port = parentPort
  if (port === null) throw new Error('this file runs as a worker thread')
  yieldToBids()
  const { dataDir, database, holder } = workerData as ThreadSetup
  const logReader = new SqliteReader(join(dataDir, DATABASE_FILE))
  const listeners = new Set<LogsListener['grown']>()
  const logs = new LocalLogs({
    eventLog: new SqliteLogReader({ reader: logReader }),
    onGrown: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  const opened = openConsumer(service, { logs, database, holder, logger: sendingLogger(port, {}) })
  const { consumer, reader } = opened
  let shown = ''
  const show = () => {
    const status = consumer.status()
    const text = JSON.stringify(status)
    if (text !== shown) send(port, { kind: 'status', status })
    shown = text
  }
  const interval = setInterval(show, STATUS_INTERVAL_MS)
  port.on('message', (message: ToThread) => {
    switch (message.kind) {
      case 'grown':
        for (const [auctionId, events] of message.auctions) for (const grown of listeners) grown(auctionId, events)
        return
      case 'call':
        void answer(port, reader, message)
        return
      case 'stop':
        clearInterval(interval)
        void opened.close().finally(() => {
          logReader.close()
          port.close()
        })
        return
      default: {
        const unknown: never = message
        throw new Error(`unknown message ${JSON.stringify(unknown)}`)
      }
    }
  })
  consumer.start()
  show()
}

async function answer(port: MessagePort, reader: object, { id, method, args }: ToThread & { kind: 'call' }) {
  try {
    const work = (reader as Record<string, (...args: readonly unknown[]) => Promise<unknown>>)[method]
    if (work === undefined) throw new Error(`there is no ${method} to call`)
    send(port, { kind: 'answer', id, value: await work.apply(reader, [...args]) })
  } catch (error) {
    send(port, { kind: 'failed', id, error: threadError(error) })
  }
}

/** Linux gives threads priorities of their own; elsewhere they have that of the process. */
function yieldToBids(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(Number(basename(readlinkSync('/proc/thread-self'))), NICENESS)
  } catch {
    // It then has the priority of the others.
  }
}

function sendingLogger(port: MessagePort, about: object): Logger {
  const log = (level: Exclude<keyof Logger, 'child'>) => (fields: object, message: string) => {
    const { err, ...rest } = { ...about, ...fields } as { err?: unknown }
    send(port, { kind: 'log', level, fields: err === undefined ? rest : { ...rest, err: threadError(err) }, message })
  }
  return {
    trace: log('trace'),
    debug: log('debug'),
    info: log('info'),
    warn: log('warn'),
    error: log('error'),
    child: (fields) => sendingLogger(port, { ...about, ...fields }),
  }
}

function send(port: MessagePort, message: FromThread): void {
  port.postMessage(message)
}

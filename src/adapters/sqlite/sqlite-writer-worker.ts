import { parentPort, workerData } from 'node:worker_threads'
import type { Database } from 'better-sqlite3'
import { BatchWriter } from './batch-writer.js'
import { FileWatch } from './file-watch.js'
import { SignatureSlots } from './signature-slots.js'
import { openWriteConnection } from './sqlite-connection.js'
import { messageOf, StoreError, type StoreErrorCode, sqliteCode } from './store-error.js'
import type { WriterReply, WriterRequest, WriterSetup } from './write-operations.js'

// The thread that owns the store's one write connection: a disk sync blocks it, and never the node.

const port = parentPort
if (port === null) throw new Error('this file runs as a worker thread')
const reply = (message: WriterReply) => port.postMessage(message)

const db = open(workerData as WriterSetup)
if (db !== null) {
  const writer = new BatchWriter(db, new SignatureSlots((workerData as WriterSetup).signatures))
  const watch = new FileWatch(db.name)
  /** What was written into a file that is gone has not been written. */
  const unlessGone = (answer: WriterReply): WriterReply => {
    const gone = watch.missing()
    return gone === null ? answer : { type: 'failed', failure: 'GONE', message: gone }
  }
  let failed: WriterReply | null = null
  port.on('message', (request: WriterRequest) => {
    if (request.type === 'batch') {
      // After an I/O error nothing more is tried, not even what had been sent before it was known.
      const answer = failed ?? unlessGone(writer.write(request.operations))
      if (answer.type === 'failed' && answer.failure !== 'BUSY' && answer.failure !== 'DISK_FULL') failed = answer
      return reply(answer)
    }
    // The last connection to close also moves the write-ahead log into the database.
    db.close()
    return port.close()
  })
  reply({ type: 'ready' })
}

function open({ path, test }: WriterSetup): Database | null {
  try {
    return openWriteConnection(path, test)
  } catch (error) {
    reply({ type: 'unusable', code: codeOf(error), message: messageOf(error) })
    return null
  }
}

function codeOf(error: unknown): StoreErrorCode | 'DISK_FULL' | null {
  if (error instanceof StoreError) return error.code
  return sqliteCode(error) === 'SQLITE_FULL' ? 'DISK_FULL' : null
}

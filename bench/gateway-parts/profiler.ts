import { existsSync, writeFileSync } from 'node:fs'
import { Session } from 'node:inspector'
import { join } from 'node:path'
import { threadId } from 'node:worker_threads'

/**
 * Loaded into a node's process (`--import`), once in each of its threads: takes a CPU profile for as long as there is a
 * file `go` in the directory, and leaves it there.
 */
const directory = process.env.VENDUE_BENCH_PROFILE ?? '.'
const POLL_MS = 50
const SAMPLE_US = 100

let session: Session | null = null

const timer = setInterval(() => {
  const isWanted = existsSync(join(directory, 'go'))
  if (isWanted && session === null) session = begun()
  else if (!isWanted && session !== null) {
    end(session)
    session = null
  }
}, POLL_MS)
timer.unref()

function begun(): Session {
  const begun = new Session()
  begun.connect()
  begun.post('Profiler.enable')
  begun.post('Profiler.setSamplingInterval', { interval: SAMPLE_US })
  begun.post('Profiler.start')
  return begun
}

function end(running: Session): void {
  running.post('Profiler.stop', (error, given) => {
    if (error === null) writeFileSync(join(directory, `thread-${threadId}.json`), JSON.stringify(given.profile))
    running.disconnect()
  })
}

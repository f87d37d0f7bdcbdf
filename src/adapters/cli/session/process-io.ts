import { homedir } from 'node:os'
import { knownZone } from '../render/look.js'
import type { CliIo } from './cli-io.js'

/** One Ctrl-C may arrive twice, from the terminal and through npm: only a later one is a second one. */
const SAME_SIGNAL_MS = 500
const FORCED_EXIT = 130

/** This process, as the command line sees it. Takes over its signals. */
export function processIo(): CliIo {
  const ended = new AbortController()
  let endedAt: number | null = null
  const end = () => {
    const now = performance.now()
    if (endedAt !== null && now - endedAt > SAME_SIGNAL_MS) process.exit(FORCED_EXIT)
    endedAt ??= now
    ended.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
  // Started by another program: this process ends with it.
  if (process.connected) process.on('disconnect', end)
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // The reader has closed the pipe, as in `vendue watch | head`.
      if (error.code !== 'EPIPE') throw error
      ended.abort()
    })
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    userHome: homedir(),
    timeZone: knownZone(Intl.DateTimeFormat().resolvedOptions().timeZone),
    now: () => Date.now(),
    ended: ended.signal,
  }
}

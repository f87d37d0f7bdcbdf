import { spawn } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')

const OUTPUT_LIMIT_CHARS = 100_000
/** How long a tool may take to tidy up after an interruption; npm takes back what it had half installed. */
const KILL_AFTER_MS = 10_000

/** Something that the user can understand and mend, with the failing tool's own output. */
export class SetUpError extends Error {
  constructor(message, { output = '', hint = '' } = {}) {
    super(message)
    this.output = output
    this.hint = hint
  }
}

export class Interrupted extends Error {
  constructor(signal) {
    super(`interrupted by ${signal}`)
    this.signal = signal
  }
}

/** Progress goes to stderr: stdout belongs to the program that runs next. */
export function say(line) {
  process.stderr.write(`${line}\n`)
}

/** A stamp is all there or not there at all. */
export function writeStamp(path, text) {
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}

/** Runs a tool to its end, quietly; resolves to its exit code and output, or rejects when interrupted. */
export function runTool(command, args, { signal, lock }, env = process.env) {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32'
    // A process group of its own: an interruption then reaches the tool's own children too, and only once.
    const child = spawn(command, args, {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: !windows,
      shell: windows && command === 'npm',
      windowsHide: true,
    })
    lock.noteTool(child.pid)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-OUTPUT_LIMIT_CHARS)
      })
    }
    const kill = (name) => {
      try {
        if (windows) child.kill(name)
        else process.kill(-child.pid, name)
      } catch {
        // It has ended already.
      }
    }
    let killTimer
    const interrupt = () => {
      kill(signal.reason.signal)
      killTimer = setTimeout(() => kill('SIGKILL'), KILL_AFTER_MS)
    }
    signal.addEventListener('abort', interrupt, { once: true })
    const settle = (done) => {
      clearTimeout(killTimer)
      signal.removeEventListener('abort', interrupt)
      if (signal.aborted) reject(signal.reason)
      else done()
    }
    child.on('error', (error) => settle(() => reject(error)))
    child.on('close', (code, killedBy) => settle(() => resolve({ code, killedBy, output })))
  })
}

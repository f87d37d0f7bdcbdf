import { ChildProcess } from 'node:child_process'
import { Server, Socket } from 'node:net'
import { inspect } from 'node:util'
import Mocha from 'mocha'
import { skipReason } from './requires.js'
import type { RunnerOptions, RunnerOrder, TestError, TestEvent, TestResult } from './test-events.js'

/** One of the processes that `npm test` has: runs the test files that it is given, one after another. */

/** Far above what any test takes, also on a busy machine: it only ends those that hang. */
const TIMEOUT_MS = 120_000
/** How long sockets, timers and child processes may outlive the last test. */
const LINGER_MS = 5_000

const { grep } = JSON.parse(process.argv[2] ?? '{}') as RunnerOptions
let ending = false
let failed = false
let running: Mocha.Runner | undefined

function main(): void {
  // Mocha passes these on to whoever listens, and nobody else does.
  process.on('unhandledRejection', (reason) => {
    throw reason
  })
  // Whatever the tested code does to `process.exitCode`.
  process.on('exit', (code) => {
    if (ending) process.exitCode = failed ? 1 : 0
    else process.exitCode = code || 1
  })
  // Ctrl-C reaches the whole group: the reporting process passes it on, so that hooks can tidy up.
  process.on('SIGINT', () => {})
  process.on('disconnect', leave)
  process.on('message', obey)
}

/** The reporting process is gone. */
function leave(): void {
  process.exit(1)
}

function obey(order: RunnerOrder): void {
  if ('run' in order) void runFile(order.run)
  else if ('abort' in order) running?.abort()
  else awaitExit()
}

async function runFile(file: string): Promise<void> {
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: TIMEOUT_MS,
    reporter: EventReporter,
    forbidOnly: process.env.CI === 'true',
  })
  if (grep !== undefined) mocha.grep(grep)
  mocha.addFile(file)
  try {
    await mocha.loadFilesAsync()
    await new Promise<void>((resolve) => {
      running = mocha.run(() => resolve())
    })
    mocha.dispose()
  } catch (error) {
    say({ type: 'broken', error: inspect(error) })
  }
  running = undefined
  say({ type: 'file end' })
}

function say(event: TestEvent): void {
  process.send?.(event)
}

/** Sends what Mocha's own reporters would print. */
class EventReporter extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.on('suite', (suite) => {
      if (!suite.root) say({ type: 'suite', title: suite.title })
    })
    runner.on('suite end', (suite) => {
      if (!suite.root) say({ type: 'suite end' })
    })
    runner.on('pass', (test) => say({ type: 'pass', ...resultOf(test) }))
    runner.on('pending', (test) => say({ type: 'pending', ...resultOf(test), reason: skipReason(test) }))
    runner.on('fail', (test, error) => say({ type: 'fail', ...resultOf(test), error: errorOf(error) }))
  }

  override epilogue(): void {}
}

function resultOf(test: Mocha.Runnable): TestResult {
  const { title, duration, speed } = test as Mocha.Test
  return { title, titlePath: test.titlePath(), duration, speed }
}

function errorOf(error: unknown): TestError {
  const { message, stack, uncaught, actual, expected } = error as Error & Partial<TestError>
  const shown = error instanceof Error ? { message, stack: fullStack(error) } : { message: inspect(error), stack: '' }
  // Mocha has made texts of what it can show as a difference.
  const texts = typeof actual === 'string' && typeof expected === 'string' ? { actual, expected } : {}
  return { message: String(shown.message), stack: shown.stack || stack || '', uncaught: uncaught === true, ...texts }
}

function fullStack(error: Error): string {
  const { cause } = error
  const stack = error.stack ?? error.message
  return cause instanceof Error ? `${stack}\nCaused by: ${fullStack(cause)}` : stack
}

/** The process should now end by itself. What still holds it is a leak in a test, or in what it tests. */
function awaitExit(): void {
  ending = true
  process.off('disconnect', leave)
  process.off('message', obey)
  process.disconnect()
  process.on('uncaughtException', (error) => {
    console.error(error)
    fail('an error after the last test')
  })
  setTimeout(() => {
    fail(`${LINGER_MS / 1_000} seconds after the last test, these are still open:`)
    for (const handle of openHandles()) console.error(`    ${handle}`)
    process.exit()
  }, LINGER_MS).unref()
}

function fail(reason: string): void {
  failed = true
  console.error(`  ${reason}`)
}

function openHandles(): string[] {
  // Undocumented, but the only way to learn which socket or process it is; the documented list has types alone.
  const { _getActiveHandles: list } = process as unknown as { _getActiveHandles?: () => object[] }
  const standard: object[] = [process.stdin, process.stdout, process.stderr]
  const known = (list?.() ?? []).filter((handle) => !standard.includes(handle)).map(describeHandle)
  const types = process.getActiveResourcesInfo().filter((type) => !/^(TTYWrap|PipeWrap|FSReqCallback)$/.test(type))
  return [...known, `all kinds: ${types.join(', ') || 'unknown'}`]
}

function describeHandle(handle: object): string {
  if (handle instanceof ChildProcess) return `process ${handle.pid}: ${handle.spawnargs.join(' ')}`
  if (handle instanceof Server) return `server on ${JSON.stringify(handle.address())}`
  if (handle instanceof Socket && handle.remotePort !== undefined) {
    return `socket ${handle.localAddress}:${handle.localPort} to ${handle.remoteAddress}:${handle.remotePort}`
  }
  return handle.constructor.name
}

main()

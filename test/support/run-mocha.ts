import { ChildProcess } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { Server, Socket } from 'node:net'
import { relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import Mocha from 'mocha'
import { failRun, Reporter, reportAtExit } from './reporter.js'

const USAGE = `Usage: npm test [-- [-g PATTERN] [FILE ...]]
  -g, --grep PATTERN  only the tests whose full title matches
  FILE                a test file or folder, a glob, or a part of a path: test/domain, money`

/** Far above what any test takes, also on a busy machine: it only ends those that hang. */
const TIMEOUT_MS = 120_000
/** How long sockets, timers and child processes may outlive the last test. */
const LINGER_MS = 5_000

const DIST = resolve(import.meta.dirname, '../..')

async function main(): Promise<void> {
  const { grep, patterns } = readArgs()
  reportAtExit()
  // Mocha passes these on to whoever listens, and nobody else does.
  process.on('unhandledRejection', (reason) => {
    throw reason
  })

  const mocha = new Mocha({
    ui: 'bdd',
    timeout: TIMEOUT_MS,
    reporter: Reporter,
    forbidOnly: process.env.CI === 'true',
  })
  if (grep !== undefined) mocha.grep(grep)
  for (const file of chooseFiles(patterns)) mocha.addFile(file)
  try {
    await mocha.loadFilesAsync()
  } catch (error) {
    console.error(error)
    failRun('a test file does not load')
    process.exit()
  }
  const runner = mocha.run(() => {
    runner.dispose()
    awaitExit()
  })
  // Lets the hooks tidy up; a second Ctrl-C ends at once.
  process.once('SIGINT', () => {
    failRun('interrupted')
    runner.abort()
  })
}

function readArgs(): { grep: string | undefined; patterns: string[] } {
  try {
    const { values, positionals } = parseArgs({
      options: { grep: { type: 'string', short: 'g' } },
      allowPositionals: true,
    })
    return { grep: values.grep, patterns: positionals }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

function chooseFiles(patterns: readonly string[]): string[] {
  const all = readdirSync(resolve(DIST, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => `test/${name.split(sep).join('/')}`)
    .sort()
  const matchers = patterns.map(matcher)
  matchers.forEach((matches, index) => {
    if (!all.some(matches)) failRun(`no test file matches ${patterns[index]}`)
  })
  return all
    .filter((path) => matchers.length === 0 || matchers.some((matches) => matches(path)))
    .map((path) => resolve(DIST, path))
}

/** Takes source paths too: what a shell completes is test/domain/money.test.ts. */
function matcher(pattern: string): (path: string) => boolean {
  const wanted = relative(resolve(DIST, '..'), resolve(DIST, '..', pattern))
    .split(sep)
    .join('/')
    .replace(/^dist\//, '')
    .replace(/\.ts$/, '.js')
  if (!wanted.includes('*')) return (path) => path.includes(wanted)
  const regex = wanted
    .replace(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\*\*\/|\*\*|\*/g, (stars) => ({ '**/': '(?:.*/)?', '**': '.*' })[stars] ?? '[^/]*')
  return (path) => new RegExp(`^${regex}$`).test(path)
}

/** The process should now end by itself. What still holds it is a leak in a test, or in what it tests. */
function awaitExit(): void {
  process.on('uncaughtException', (error) => {
    console.error(error)
    failRun('an error after the last test')
  })
  setTimeout(() => {
    failRun(`${LINGER_MS / 1_000} seconds after the last test, these are still open:`)
    for (const handle of openHandles()) console.error(`    ${handle}`)
    process.exit()
  }, LINGER_MS).unref()
}

function openHandles(): string[] {
  // Undocumented, but the only way to tell which socket or process it is; the documented list has types alone.
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

await main()

import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { relative, resolve, sep } from 'node:path'
import { parseArgs } from 'node:util'
import { failRun, Reporter, reportAtExit } from './reporter.js'
import type { RunnerOptions, RunnerOrder, TestEvent } from './test-events.js'

const USAGE = `Usage: npm test [-- [-g PATTERN] [-j JOBS] [FILE ...]]
  -g, --grep PATTERN  only the tests whose full title matches
  -j, --jobs JOBS     how many files run at once (default: 2, on one core 1)
  --times             says at the end how long each file took
  FILE                a test file or folder, a glob, or a part of a path: test/domain, money`

const DIST = resolve(import.meta.dirname, '../..')
const PROCESS = resolve(import.meta.dirname, 'mocha-process.js')

/** Files of these take longest: they begin first, so that no core is idle at the end. */
const LONG = ['test/sim/', 'test/e2e/', 'test/services/', 'test/docker/', 'test/demo/']
/** Measures what a process does with all that it gets: these run last, by themselves. */
const ALONE = ['test/e2e/attacks/']

interface Run {
  readonly reporter: Reporter
  readonly options: RunnerOptions
  readonly processes: Set<ChildProcess>
  readonly seconds: Map<string, number>
  interrupted: boolean
}

async function main(): Promise<void> {
  const { patterns, jobs, times, ...options } = readArgs()
  const files = chooseFiles(patterns)
  reportAtExit()
  const run: Run = {
    reporter: new Reporter(),
    options,
    processes: new Set(),
    seconds: new Map(),
    interrupted: false,
  }
  // Lets the hooks tidy up; a second Ctrl-C ends at once.
  process.once('SIGINT', () => {
    failRun('interrupted')
    run.interrupted = true
    for (const child of run.processes) send(child, { abort: true })
  })
  await runFiles(
    run,
    files.filter((file) => !isIn(ALONE, file)),
    jobs,
  )
  await runFiles(
    run,
    files.filter((file) => isIn(ALONE, file)),
    1,
  )
  run.reporter.end()
  if (times) showTimes(run.seconds)
}

function readArgs(): RunnerOptions & { jobs: number; times: boolean; patterns: string[] } {
  try {
    const { values, positionals } = parseArgs({
      options: {
        grep: { type: 'string', short: 'g' },
        jobs: { type: 'string', short: 'j' },
        times: { type: 'boolean' },
      },
      allowPositionals: true,
    })
    const jobs = values.jobs === undefined ? Math.min(2, availableParallelism()) : Number(values.jobs)
    if (!Number.isInteger(jobs) || jobs < 1) throw new Error(`--jobs ${values.jobs}: must be 1 or more`)
    return { grep: values.grep, jobs, times: values.times === true, patterns: positionals }
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
    process.exit(2)
  }
}

/** In the order in which they should begin. */
function chooseFiles(patterns: readonly string[]): string[] {
  const all = readdirSync(resolve(DIST, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js'))
    .map((name) => `test/${name.split(sep).join('/')}`)
    .sort()
  const matchers = patterns.map(matcher)
  matchers.forEach((matches, index) => {
    if (!all.some(matches)) failRun(`no test file matches ${patterns[index]}`)
  })
  const chosen = all.filter((path) => matchers.length === 0 || matchers.some((matches) => matches(path)))
  const rank = (path: string) => LONG.findIndex((folder) => path.startsWith(folder)) + 1 || LONG.length + 1
  return chosen.sort((a, b) => rank(a) - rank(b))
}

function isIn(folders: readonly string[], file: string): boolean {
  return folders.some((folder) => file.startsWith(folder))
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

/** Each of `jobs` processes takes the next file when it has run one. */
async function runFiles(run: Run, files: readonly string[], jobs: number): Promise<void> {
  const queue = [...files]
  const lanes = Array.from({ length: Math.min(jobs, files.length) }, async () => {
    // One that dies is blamed for its file: another process runs the rest.
    while (queue.length > 0 && !run.interrupted) await runProcess(run, queue, jobs > 1)
  })
  await Promise.all(lanes)
}

/** What several processes run at once is shown file by file, what one runs at once. */
async function runProcess(run: Run, queue: string[], shared: boolean): Promise<void> {
  const child = fork(PROCESS, [JSON.stringify(run.options)])
  run.processes.add(child)
  let file: string | undefined
  let events: TestEvent[] = []
  let depth = 0
  let begun = 0
  const show = () => {
    for (const event of events) run.reporter.show(event)
    events = []
  }
  const proceed = () => {
    if (file !== undefined) run.seconds.set(file, (Date.now() - begun) / 1_000)
    file = run.interrupted ? undefined : queue.shift()
    begun = Date.now()
    send(child, file === undefined ? { end: true } : { run: resolve(DIST, file) })
  }
  child.on('message', (event: TestEvent) => {
    if (event.type === 'broken') failRun(`${file} does not run`)
    events.push(event)
    if (event.type === 'suite') depth += 1
    if (event.type === 'suite end') depth -= 1
    if (!shared || event.type === 'file end') show()
    if (event.type === 'file end') proceed()
  })
  const ended = new Promise<string | undefined>((settle) => {
    child.once('exit', (code, signal) => settle(code === 0 ? undefined : (signal ?? `exit code ${code}`)))
  })
  proceed()
  const how = await ended
  run.processes.delete(child)
  for (; depth > 0; depth -= 1) events.push({ type: 'suite end' })
  show()
  if (file !== undefined) failRun(`${file}: its process ended early, with ${how ?? 'exit code 0'}`)
  else if (how !== undefined) failRun(`a process that ran tests did not end well: ${how}`)
}

function showTimes(seconds: ReadonlyMap<string, number>): void {
  const longest = [...seconds].sort((a, b) => b[1] - a[1])
  for (const [file, taken] of longest) console.log(`${taken.toFixed(1).padStart(8)} s  ${file}`)
}

function send(child: ChildProcess, order: RunnerOrder): void {
  // What cannot be sent any more: its process is ending, which is seen by its exit.
  if (child.connected) child.send(order, () => {})
}

await main()

import { EventEmitter } from 'node:events'
import Mocha from 'mocha'
import type { TestEvent, TestResult } from './test-events.js'

const { color, consoleLog } = Mocha.reporters.Base

/** Counts the one run, so that its last line can be printed however the run ends. */
const tally = { passed: 0, failed: 0, skipped: 0 }
let complete = false

/** Mocha's own report of files that others run, and after it everything that was not tested, with the reason. */
export class Reporter {
  readonly #runner = new EventEmitter()
  readonly #stats = { suites: 0, tests: 0, passes: 0, pending: 0, failures: 0, duration: 0 }
  readonly #begun = Date.now()
  readonly #skipped: TestResult[] = []

  constructor() {
    // Mocha's reporters listen, and read `stats`: of a runner they use nothing else.
    new Mocha.reporters.Spec(Object.assign(this.#runner, { stats: this.#stats }) as unknown as Mocha.Runner, {})
    this.#runner.emit('start')
    this.#runner.emit('suite', { root: true, title: '' })
  }

  show(event: TestEvent): void {
    if (event.type === 'suite' || event.type === 'suite end') this.#runner.emit(event.type, event)
    else if (event.type === 'broken') console.error(event.error)
    else if (event.type !== 'file end') this.#showResult(event)
  }

  #showResult(event: TestResult & { type: 'pass' | 'fail' | 'pending' }): void {
    if (event.type === 'pass') {
      tally.passed += 1
      this.#stats.passes += 1
    } else if (event.type === 'fail') {
      tally.failed += 1
      this.#stats.failures += 1
    } else {
      tally.skipped += 1
      this.#stats.pending += 1
      this.#skipped.push(event)
    }
    const test = { ...event, err: event.error, titlePath: () => event.titlePath, slow: () => 75 }
    this.#runner.emit(event.type, test, event.error)
  }

  end(): void {
    this.#stats.duration = Date.now() - this.#begun
    this.#runner.emit('suite end', { root: true })
    this.#runner.emit('end')
    complete = true
    if (this.#skipped.length === 0) return
    consoleLog(color('bright fail', '  NOT TESTED:'))
    for (const { titlePath, reason } of this.#skipped) {
      consoleLog(color('pending', `  - ${titlePath.join(' > ')}: ${reason ?? 'no reason given'}`))
    }
    consoleLog()
  }
}

/** Fails the run as a whole, for something that no single test is to blame for; counts as one more failure. */
export function failRun(reason: string): void {
  tally.failed += 1
  console.error(color('fail', `  The run failed: ${reason}`))
}

/** Has the process end with the counts as its very last line, and with the exit code that they call for. */
export function reportAtExit(): void {
  process.once('exit', (code) => {
    if (!complete && tally.failed === 0) failRun(`it ended early, with exit code ${code}`)
    else if (tally.passed + tally.failed === 0) failRun('no test ran')
    process.exitCode = tally.failed > 0 ? 1 : 0
    consoleLog(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`)
  })
}

import Mocha from 'mocha'
import { skipReason } from './requires.js'

const { color, consoleLog } = Mocha.reporters.Base

/** Counts the process's one run, so that the last line can be told however the run ends. */
const tally = { passed: 0, failed: 0, skipped: 0 }
let complete = false

/** Mocha's own report, and after it everything that was not tested, with the reason. */
export class Reporter extends Mocha.reporters.Spec {
  readonly #skipped: Mocha.Test[] = []

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options)
    runner.on('pass', () => {
      tally.passed += 1
    })
    runner.on('fail', () => {
      tally.failed += 1
    })
    runner.on('pending', (test) => {
      tally.skipped += 1
      this.#skipped.push(test)
    })
  }

  override epilogue(): void {
    super.epilogue()
    complete = true
    if (this.#skipped.length === 0) return
    consoleLog(color('bright fail', '  NOT TESTED:'))
    for (const test of this.#skipped) {
      const title = test.titlePath().join(' > ')
      consoleLog(color('pending', `  - ${title}: ${skipReason(test) ?? 'no reason given'}`))
    }
    consoleLog()
  }
}

/** Fails the run as a whole, for something that no single test is to blame for; counts as one more failure. */
export function failRun(reason: string): void {
  tally.failed += 1
  console.error(color('fail', `  The run failed: ${reason}`))
}

/**
 * Has the process end with the counts as its very last line and with the exit code that they call for, whatever
 * the tested code did to `process.exitCode`.
 */
export function reportAtExit(): void {
  process.once('exit', (code) => {
    if (!complete && tally.failed === 0) failRun(`it ended early, with exit code ${code}`)
    else if (tally.passed + tally.failed === 0) failRun('no test ran')
    process.exitCode = tally.failed > 0 ? 1 : 0
    consoleLog(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`)
  })
}

/**
 * What the processes that run test files and the one that reports say to each other: of a suite or test, what
 * Mocha's reporters read. It travels as JSON.
 */
export type TestEvent =
  | { readonly type: 'suite'; readonly title: string }
  | { readonly type: 'suite end' }
  | ({ readonly type: 'pass' | 'fail' | 'pending' } & TestResult)
  /** The file does not load, or Mocha itself fails. */
  | { readonly type: 'broken'; readonly error: string }
  | { readonly type: 'file end' }

export interface TestResult {
  readonly title: string
  readonly titlePath: readonly string[]
  readonly duration?: number | undefined
  readonly speed?: string | undefined
  readonly error?: TestError | undefined
  /** Of one that was skipped. */
  readonly reason?: string | undefined
}

/** `actual` and `expected` are texts by now: of what cannot be shown as a difference there are none. */
export interface TestError {
  readonly message: string
  readonly stack: string
  readonly uncaught: boolean
  readonly actual?: string | undefined
  readonly expected?: string | undefined
}

export type RunnerOrder = { readonly run: string } | { readonly abort: true } | { readonly end: true }

export interface RunnerOptions {
  readonly grep: string | undefined
}

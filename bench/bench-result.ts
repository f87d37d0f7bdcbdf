/** One measured figure of a benchmark. */
export interface BenchResult {
  /** What was measured, in a few words; unique within a run. */
  readonly name: string
  /** Of `value`, such as "bids/s" or "ms". */
  readonly unit: string
  readonly value: number
  /** What helps to read the value: percentiles, sizes, counts. Units go last in the key. */
  readonly figures: Readonly<Record<string, number | string>>
  /** What the value has to reach, or stay under, in the same unit. */
  readonly target?: { readonly atLeast: number } | { readonly atMost: number }
}

/** What a benchmark gives, at once when it has it: its results, and in a few words what it is doing. */
export type BenchRun = AsyncGenerator<BenchResult | string, void>

/** True where there is no target. */
export function meetsTarget({ value, target }: BenchResult): boolean {
  if (target === undefined) return true
  return 'atLeast' in target ? value >= target.atLeast : value <= target.atMost
}

/** For people. */
export function formatFigure(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : String(Math.round(value * 1000) / 1000)
}

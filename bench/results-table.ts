import { type BenchResult, formatFigure } from './bench-result.js'

/** What a run writes down. */
export interface Measured {
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memory_bytes: number
    readonly node: string
    readonly commit: string
    /** RFC 3339. */
    readonly at: string
    /** Over the last minute, at the end of the run: what else the machine did counts in all figures. */
    readonly load_average: number
  }
  readonly results: readonly BenchResult[]
}

/** The results as Markdown; beside those of another run, where there is one, as ratios to them. */
export function table({ machine, results }: Measured, before: Measured | null): string {
  const { cpu, cores, node, commit, at, load_average } = machine
  const where = `${cpu}, ${cores} cores, Node ${node}, commit ${commit}, ${at}, load ${formatFigure(load_average)}`
  const known = new Map(before?.results.map((result) => [result.name, result]))
  const rows = results.map((result) => {
    const { name, value, unit } = result
    const cells = [name, `${formatFigure(value)} ${unit}`, goalOf(result)]
    if (before === null) return cells
    const earlier = known.get(name)?.value
    const ratio = earlier === undefined || earlier === 0 ? '' : formatFigure(value / earlier)
    return [...cells, earlier === undefined ? '' : formatFigure(earlier), ratio]
  })
  const heads = ['what', 'figure', 'aim', ...(before === null ? [] : ['before', 'of it'])]
  const lines = [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  const beside = before === null ? '' : `\nBefore: commit ${before.machine.commit}, ${before.machine.at}\n`
  return `${where}\n${beside}\n${lines.join('\n')}\n`
}

function goalOf({ target }: BenchResult): string {
  if (target === undefined) return ''
  return 'atLeast' in target ? `at least ${formatFigure(target.atLeast)}` : `at most ${formatFigure(target.atMost)}`
}

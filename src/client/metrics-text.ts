/** One figure of a gateway's /metrics, as Prometheus reads it. */
export interface MetricSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)$/
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g

/** Reads Prometheus's text format; comments, and lines that are none, are left out. */
export function readMetrics(text: string): MetricSample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, inBraces = '', value] = LINE.exec(line.trimEnd()) ?? []
    if (name === undefined || value === undefined) return []
    const labels = [...inBraces.matchAll(LABEL)].map(
      ([, key, quoted]) => [key as string, unquoted(quoted as string)] as const,
    )
    return [{ name, labels: Object.fromEntries(labels), value: numberOf(value) }]
  })
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign))
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text)
}

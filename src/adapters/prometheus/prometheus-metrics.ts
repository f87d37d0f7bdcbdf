/** Room `prometheus`: measures, for Prometheus to read. */

import { type Metric, Registry } from 'prom-client'
import type { Counter, Histogram, Labels, Metrics, MetricsPage, ReadGauge } from '../../ports/system/metrics.js'

const SECONDS = [
  ...[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05],
  ...[0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
]
const SIZES = Array.from({ length: 15 }, (_, i) => 2 ** i)
/**
 * The most label values of one name; further ones are counted without a label, so that labels cannot fill the memory.
 */
const MAX_SERIES = 1_000

/**
 * Metrics for Prometheus. prom-client writes the page; the counting is ours, since its instruments hash their labels
 * at each use.
 */
export class PrometheusMetrics implements Metrics, MetricsPage {
  readonly #registry = new Registry()
  readonly #families = new Map<string, Family>()

  get contentType(): string {
    return this.#registry.contentType
  }

  /** What it knows, in alphabetical order. */
  get names(): string[] {
    return [...this.#families.keys()].sort()
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }

  counter(name: string, help: string, labels: Labels = {}): Counter {
    return this.#series(name, help, 'counter', labels, (own) => new CountedSeries(own))
  }

  seconds(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#series(name, help, 'histogram', labels, (own) => new HistogramSeries(name, own, SECONDS))
  }

  sizes(name: string, help: string, labels: Labels = {}): Histogram {
    return this.#series(name, help, 'histogram', labels, (own) => new HistogramSeries(name, own, SIZES))
  }

  gauge(name: string, help: string, read: ReadGauge): void {
    const family = this.#family(name, help, 'gauge')
    family.read = async () => {
      const readings = await read()
      return typeof readings === 'number' ? [{ labels: {}, value: readings }] : readings
    }
  }

  #series<S extends Series>(
    name: string,
    help: string,
    type: Family['type'],
    labels: Labels,
    make: (labels: Labels) => S,
  ): S {
    const { series } = this.#family(name, help, type)
    const own = series.size >= MAX_SERIES ? {} : labels
    const key = JSON.stringify(own)
    const known = series.get(key)
    if (known) return known as S
    const made = make(own)
    series.set(key, made)
    return made
  }

  #family(name: string, help: string, type: Family['type']): Family {
    const known = this.#families.get(name)
    if (known) {
      if (known.type !== type) throw new Error(`${name} is a ${known.type}, and cannot be a ${type}`)
      return known
    }
    const family: Family = { type, series: new Map(), read: null }
    this.#families.set(name, family)
    const page = {
      name,
      get: async () => ({ name, help, type, aggregator: 'sum', values: await valuesOf(family) }),
    }
    // This is all that the registry needs of a metric.
    this.#registry.registerMetric(page as unknown as Metric)
    return family
  }
}

interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly series: Map<string, Series>
  /** Of a gauge. */
  read: (() => Promise<readonly Value[]>) | null
}

interface Value {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

interface Series {
  values(): Value[]
}

async function valuesOf({ series, read }: Family): Promise<readonly Value[]> {
  // What cannot be read now is left out; the rest is still reported.
  if (read) return read().catch(() => [])
  return [...series.values()].flatMap((own) => own.values())
}

class CountedSeries implements Series, Counter {
  readonly #labels: Labels
  #value = 0

  constructor(labels: Labels) {
    this.#labels = labels
  }

  inc(by = 1): void {
    this.#value += by
  }

  values(): Value[] {
    return [{ labels: this.#labels, value: this.#value }]
  }
}

class HistogramSeries implements Series, Histogram {
  readonly #name: string
  readonly #labels: Labels
  readonly #bounds: readonly number[]
  /** Each bucket by itself; the last holds what is above all bounds. */
  readonly #counts: Float64Array
  #sum = 0

  constructor(name: string, labels: Labels, bounds: readonly number[]) {
    this.#name = name
    this.#labels = labels
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  observe(value: number): void {
    let i = 0
    while (i < this.#bounds.length && value > (this.#bounds[i] as number)) i++
    this.#counts[i] = (this.#counts[i] as number) + 1
    this.#sum += value
  }

  values(): Value[] {
    const labels = this.#labels
    const values: Value[] = []
    let total = 0
    this.#counts.forEach((count, i) => {
      total += count
      const le = this.#bounds[i] ?? '+Inf'
      values.push({ labels: { le, ...labels }, value: total, metricName: `${this.#name}_bucket` })
    })
    values.push({ labels, value: this.#sum, metricName: `${this.#name}_sum` })
    values.push({ labels, value: total, metricName: `${this.#name}_count` })
    return values
  }
}

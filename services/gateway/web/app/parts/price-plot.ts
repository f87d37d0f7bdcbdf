import uPlot from 'uplot'
import type { ChartPoints } from '../../model/price-chart.js'
import 'uplot/dist/uPlot.min.css'

export interface PlotOptions {
  readonly width: number
  readonly height: number
  /** Time runs the way text does. */
  readonly isRtl: boolean
  readonly locale: string
  readonly decimals: number
  /** Which point the pointer is at. */
  readonly onPoint: (index: number | null) => void
}

/** Draws prices into an element. Apart from what uses it, so that the library comes when a chart does. */
export function drawPrices(element: HTMLElement, points: ChartPoints, options: PlotOptions): uPlot {
  const { width, height, isRtl, locale, decimals, onPoint } = options
  const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
  const [ink, line, accent] = [token('--ink-soft'), token('--line'), token('--accent')]
  const font = `13px ${token('--font')}`
  const amounts = new Intl.NumberFormat(locale, { maximumFractionDigits: decimals, notation: 'compact' })
  const exact = new Intl.NumberFormat(locale, { maximumFractionDigits: decimals })
  const clock = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const seconds = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', hourCycle: 'h23' })
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' })
  const times = (_: uPlot, splits: number[]) => {
    const step = (splits[1] ?? 0) - (splits[0] ?? 0)
    const format = step >= 86_400 ? day : step >= 60 ? clock : seconds
    return splits.map((at) => format.format(at * 1_000))
  }
  const axis = { stroke: ink, font, ticks: { show: false } }
  return new uPlot(
    {
      width,
      height,
      padding: [12, isRtl ? 0 : 12, 0, isRtl ? 12 : 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 8, fill: accent } },
      scales: { x: { time: false, dir: isRtl ? -1 : 1 } },
      axes: [
        { ...axis, grid: { show: false }, values: times, space: 88, size: 34 },
        {
          ...axis,
          side: isRtl ? 1 : 3,
          grid: { stroke: line, width: 1 },
          size: 64,
          values: (_, splits) => splits.map((at) => (at >= 1e6 ? amounts : exact).format(at)),
        },
      ],
      series: [
        {},
        {
          stroke: accent,
          width: 2,
          fill: `color-mix(in srgb, ${accent} 12%, transparent)`,
          paths: uPlot.paths.stepped!({ align: 1 }),
          points: { show: false },
        },
      ],
      hooks: { setCursor: [({ cursor }) => onPoint(cursor.idx ?? null)] },
    },
    [[...points.seconds], [...points.prices]],
    element,
  )
}

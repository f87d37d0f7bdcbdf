import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { decimalsOf } from '../../model/amount.js'
import type { Lot } from '../../model/lot.js'
import { type ChartFacts, isWorthDrawing, pricePoints, summaryOf } from '../../model/price-chart.js'
import { readClock } from '../state/clock.js'
import { language, locale, t, writing } from '../state/language.js'
import type { OpenLot } from '../state/open-lot.js'
import { isDark } from '../state/theme.js'

const HEIGHT = 220
/** Bids that come faster are drawn together. */
const CONFLATE_MS = 250

/**
 * The price over time. The drawing is one picture to a screen reader, with a summary in words; the list of bids below
 * has every step of it.
 */
export function PriceChart({ open, lot }: { open: OpenLot; lot: Lot }) {
  const bids = open.bids.value
  const facts: ChartFacts = {
    startPrice: lot.startPrice,
    openedAtMs: lot.opensAtMs ?? lot.openedAtMs,
    isWhole: !open.hasMore.value,
    untilMs: lot.endedAtMs ?? Math.min(lot.closesAtMs ?? Number.POSITIVE_INFINITY, readClock()),
  }
  const summary = summaryOf(bids, facts)
  if (!summary || !isWorthDrawing(bids, facts)) return null
  const { money, when } = writing.value
  return (
    <section aria-labelledby="chart-title">
      <h2 id="chart-title">{t('chart.title')}</h2>
      <Drawing
        // What axes say and where they stand is fixed when a chart is made.
        key={`${language.value} ${isDark.value}`}
        points={pricePoints(bids, facts)}
        lot={lot}
        label={t('chart.summary', {
          count: summary.count,
          first: money(summary.first, lot.currency),
          begin: when(summary.firstAtMs),
          last: money(summary.last, lot.currency),
          end: when(summary.lastAtMs),
        })}
      />
    </section>
  )
}

function Drawing({ points, lot, label }: { points: ReturnType<typeof pricePoints>; lot: Lot; label: string }) {
  const element = useRef<HTMLDivElement>(null)
  const chart = useRef<uPlot | null>(null)
  const newest = useRef(points)
  newest.current = points
  const [at, setAt] = useState<number | null>(null)
  const [isFailed, setFailed] = useState(false)
  useEffect(() => {
    const box = element.current as HTMLDivElement
    let isGone = false
    const observer = new ResizeObserver(() => {
      chart.current?.setSize({ width: box.clientWidth, height: HEIGHT })
    })
    import('./price-plot.js').then(
      ({ drawPrices }) => {
        if (isGone) return
        const decimals = decimalsOf(lot.price ?? lot.startPrice)
        chart.current = drawPrices(box, newest.current, {
          width: box.clientWidth,
          height: HEIGHT,
          isRtl: document.documentElement.dir === 'rtl',
          locale: locale.peek(),
          decimals,
          onPoint: setAt,
        })
        observer.observe(box)
      },
      () => setFailed(true),
    )
    return () => {
      isGone = true
      observer.disconnect()
      chart.current?.destroy()
      chart.current = null
    }
  }, [])
  useEffect(() => {
    const timer = setTimeout(() => {
      const { seconds, prices } = newest.current
      chart.current?.setData([[...seconds], [...prices]])
    }, CONFLATE_MS)
    return () => clearTimeout(timer)
  }, [points.seconds.length, points.prices.at(-1)])
  const { number, short } = writing.value
  const pointed = at === null ? undefined : points.prices[at]
  return (
    <figure class="chart">
      <div ref={element} class="plot" role="img" aria-label={label} />
      {isFailed && <p class="soft">{label}</p>}
      <figcaption class="soft small" aria-hidden="true">
        {pointed === undefined
          ? t('chart.hint')
          : `${number(pointed.toFixed(decimalsOf(lot.price ?? lot.startPrice)))} ${lot.currency} · ${short((points.seconds[at as number] as number) * 1_000)}`}
      </figcaption>
    </figure>
  )
}

import type { Signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { Lot } from '../../model/lot.js'
import { t } from '../state/language.js'
import { TilePicture } from './pictures.js'
import { Price } from './price.js'
import { Standing, TileClock } from './time.js'

/** One auction in a list. */
export function Tile({
  lot: source,
  pictured = false,
  heading: Heading = 'h2',
}: {
  lot: Signal<Lot>
  pictured?: boolean
  /** One below what stands above the list. */
  heading?: 'h2' | 'h3'
}) {
  const lot = source.value
  const shown = lot.price ?? lot.startPrice
  const label = lot.ending?.kind === 'sold' ? 'lot.final' : lot.price === null ? 'lot.starting' : 'lot.current'
  return (
    <article class="tile">
      {pictured && <TilePicture pictures={lot.pictures} />}
      <div class="tile-head">
        <div>
          <Heading class="tile-title">
            <a href={`/lot/${lot.id}`}>
              <bdi>{lot.title}</bdi>
            </a>
          </Heading>
          <p class="seller">{t('lot.seller', { name: lot.sellerName })}</p>
        </div>
        <Standing you={lot.you} />
      </div>
      <div class="value">
        <div class="small soft">{t(label)}</div>
        <Flash of={shown}>
          <Price amount={shown} currency={lot.currency} />
        </Flash>
      </div>
      <div class="foot">
        <TileClock lot={source} />
        <span>{t('lot.bids', { count: lot.bidCount })}</span>
      </div>
    </article>
  )
}

/** One short flash per change; none with reduced motion, which the style sheet sees to. */
export function Flash({ of: value, children }: { of: string; children: preact.ComponentChildren }) {
  const element = useRef<HTMLSpanElement>(null)
  const before = useRef(value)
  useEffect(() => {
    if (before.current === value) return
    before.current = value
    const { current } = element
    if (!current) return
    current.classList.remove('flash')
    // Read so that the animation starts over.
    void current.offsetWidth
    current.classList.add('flash')
  }, [value])
  return <span ref={element}>{children}</span>
}

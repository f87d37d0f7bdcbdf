import type { Lot } from '../../model/lot.js'
import { t, writing } from '../state/language.js'
import { reserveKey } from './panel.js'

export function durationText(ms: number): string {
  const seconds = Math.round(ms / 1_000)
  if (seconds % 60 !== 0 || seconds < 60) return t('sell.soft-close.seconds', { count: seconds })
  return t('sell.soft-close.minutes', { count: seconds / 60 })
}

/** What was laid down when the auction was opened. */
export function Facts({ lot }: { lot: Lot }) {
  const { when, money } = writing.value
  const { softClose } = lot
  return (
    <section aria-labelledby="facts-title">
      <h2 id="facts-title">{t('facts.title')}</h2>
      <dl class="facts">
        <dt>{t('facts.seller')}</dt>
        <dd>
          <bdi>{lot.sellerName}</bdi>
        </dd>
        <dt>{t('facts.opened')}</dt>
        <dd>{when(lot.openedAtMs)}</dd>
        <dt>{t('facts.end')}</dt>
        <dd>{lot.closesAtMs === null ? t('lot.no-end') : when(lot.closesAtMs)}</dd>
        <dt>{t('facts.reserve')}</dt>
        <dd>{t(reserveKey(lot))}</dd>
        <dt>{t('facts.soft-close')}</dt>
        <dd>
          {softClose
            ? t('facts.soft-close.text', {
                window: durationText(softClose.windowMs),
                extension: durationText(softClose.extensionMs),
              })
            : t('facts.none')}
        </dd>
        {lot.increments.length > 0 && (
          <>
            <dt>{t('facts.increments')}</dt>
            <dd>
              {lot.increments.length === 1
                ? money(lot.increments[0]?.step ?? '', lot.currency)
                : lot.increments
                    .slice(0, 5)
                    .map(({ from, step }) =>
                      t('facts.increment.from', {
                        from: money(from, lot.currency),
                        step: money(step, lot.currency),
                      }),
                    )
                    .join(' · ')}
            </dd>
          </>
        )}
        <dt>{t('facts.home')}</dt>
        <dd>{lot.home.name}</dd>
        <dt>{t('facts.id')}</dt>
        <dd class="small">{lot.id}</dd>
      </dl>
      {lot.maximaLost && <p class="soft">{t('panel.maxima-lost')}</p>}
      {lot.pseudonyms && <p class="soft small">{t('lot.pseudonyms')}</p>}
    </section>
  )
}

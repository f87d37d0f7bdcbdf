import { useEffect, useRef } from 'preact/hooks'
import type { Sheet } from '../../model/confirm.js'
import type { Lot } from '../../model/lot.js'
import { t } from '../state/language.js'
import { Note } from './icons.js'
import { Price } from './price.js'
import { speechFor } from './speech.js'

const WORDS = {
  plain: ['confirm.title', 'confirm.yes'],
  max: ['confirm.title.max', 'confirm.yes.max'],
  'buy-now': ['confirm.title.buy-now', 'confirm.yes.buy-now'],
} as const

/** Says once more what is about to be bid, and on what. */
export function ConfirmSheet({
  sheet,
  lot,
  skips,
  onSkips,
  onTap,
  onClose,
}: {
  readonly sheet: Sheet
  readonly lot: Lot
  readonly skips: boolean
  readonly onSkips: (skips: boolean) => void
  readonly onTap: () => void
  readonly onClose: () => void
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  const { money } = speechFor(lot.currency)
  const { offer, reason } = sheet
  const [title, yes] = WORDS[offer.kind]
  const price = money(offer.amount)
  return (
    <dialog ref={dialog} class="sheet stack" aria-labelledby="sheet-title" onClose={onClose}>
      <h2 id="sheet-title">{t(title)}</h2>
      <p class="lot-name">
        <bdi>{lot.title}</bdi>
      </p>
      <p>
        <Price amount={offer.amount} currency={lot.currency} />
      </p>
      {sheet.changed ? (
        <Note tone="warn" icon="warn" role="alert">
          {t('confirm.changed', { price: money(sheet.minimum ?? offer.amount) })}
        </Note>
      ) : reason === 'unusual' ? (
        <Note tone="warn" icon="warn">
          {t('confirm.unusual')}
        </Note>
      ) : (
        reason !== 'asked' && <p class="soft">{t(`confirm.${reason}`)}</p>
      )}
      {(reason === 'asked' || reason === 'first') && (
        <label class="check">
          <input type="checkbox" checked={skips} onChange={(event) => onSkips(event.currentTarget.checked)} />
          {t('confirm.skip')}
        </label>
      )}
      <div class="sheet-buttons">
        <button type="button" class="button" onClick={() => dialog.current?.close()}>
          {t('confirm.no')}
        </button>
        {/* biome-ignore lint/a11y/noAutofocus: Enter confirms what Enter brought up; the taps of 400 ms do not count. */}
        <button type="button" class="button primary" autoFocus onClick={onTap}>
          {sheet.changed ? t('confirm.again') : t(yes, { price })}
        </button>
      </div>
    </dialog>
  )
}

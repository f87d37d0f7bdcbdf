import type { Signal } from '@preact/signals'
import { compareAmounts } from 'vendue/client'
import { decimalsOf, ladder, numberSigns, type ReadAmount, readAmount, stepped } from '../../model/amount.js'
import type { Offer } from '../../model/confirm.js'
import type { Lot } from '../../model/lot.js'
import { isBuyOnly, type Panel, prefill } from '../../model/panel.js'
import { locale, t, writing } from '../state/language.js'
import { Segments } from './fields.js'
import { Icon } from './icons.js'

/** What the visitor is about to bid. `typed` null: nobody has touched the field, and it follows the next minimum. */
export interface Bidding {
  readonly kind: Signal<'plain' | 'max'>
  readonly typed: Signal<string | null>
  readonly review: (offer: Offer) => void
}

const QUICK = 3
const FIELD = 'bid-amount'

export function BidForm({
  lot,
  panel,
  bidding,
  isOff,
}: {
  readonly lot: Lot
  readonly panel: Panel
  readonly bidding: Bidding
  readonly isOff: boolean
}) {
  const { number, money } = writing.value
  const minimum = prefill(lot)
  const kind = panel.kind === 'leading' ? 'max' : bidding.kind.value
  const read = readField(lot, bidding)
  const wrong = wrongText(read, lot, kind)
  const amount = read.kind === 'amount' ? read.amount : null
  const step = (direction: 1 | -1) => {
    bidding.typed.value = number(stepped(amount ?? minimum, direction, { minimum, bands: lot.increments }))
  }
  const submit = (event: Event) => {
    event.preventDefault()
    if (!isOff && amount !== null && wrong === null) bidding.review({ kind, amount })
  }
  if (isBuyOnly(lot)) return <BuyNow lot={lot} bidding={bidding} isOff={isOff} />
  const label = submitLabel(panel, kind, amount ?? minimum, money(amount ?? minimum, lot.currency))
  return (
    <form class="stack" onSubmit={submit} autocomplete="off">
      {panel.kind !== 'leading' && (
        <Segments
          name="kind"
          label={t('bid.kind')}
          value={kind}
          onValue={(value) => {
            bidding.kind.value = value
          }}
          options={[
            ['plain', t('bid.kind.plain')],
            ['max', t('bid.kind.max')],
          ]}
        />
      )}
      <div class="field">
        <label class="label" for={FIELD}>
          <span>{t(kind === 'max' ? 'bid.maximum' : 'bid.amount')}</span>
          {panel.kind !== 'leading' && (
            <span class="soft small">{t('bid.least', { price: money(minimum, lot.currency) })}</span>
          )}
        </label>
        <div class="amount">
          <button
            type="button"
            class="icon-button"
            aria-label={t('bid.down')}
            disabled={isOff}
            onClick={() => step(-1)}
          >
            <Icon name="minus" />
          </button>
          <input
            id={FIELD}
            class="input"
            inputMode="decimal"
            dir="ltr"
            value={bidding.typed.value ?? number(minimum)}
            aria-invalid={wrong ? 'true' : undefined}
            aria-describedby="bid-understood"
            onFocus={() => {
              bidding.typed.value ??= number(minimum)
            }}
            onInput={(event) => {
              bidding.typed.value = event.currentTarget.value
            }}
          />
          <button type="button" class="icon-button" aria-label={t('bid.up')} disabled={isOff} onClick={() => step(1)}>
            <Icon name="plus" />
          </button>
        </div>
        <div class="understood" id="bid-understood">
          {wrong ? (
            <span class="wrong">{wrong}</span>
          ) : (
            <span>{amount !== null && t('bid.understood', { price: money(amount, lot.currency) })}</span>
          )}
        </div>
      </div>
      <fieldset class="quick" aria-label={t('bid.quick')}>
        {ladder(minimum, lot.increments, QUICK).map((rung) => (
          <button
            key={rung}
            type="button"
            class="button"
            disabled={isOff}
            onClick={() => {
              bidding.typed.value = number(rung)
            }}
          >
            {number(rung)}
          </button>
        ))}
      </fieldset>
      <button type="submit" class="button primary wide" data-bid disabled={isOff || wrong !== null || amount === null}>
        {label}
      </button>
      <p class="small soft">{t(kind === 'max' ? 'bid.kind.max.help' : 'bid.kind.plain.help')}</p>
      <BuyNow lot={lot} bidding={bidding} isOff={isOff} />
    </form>
  )
}

function BuyNow({
  lot: { buyNow, currency },
  bidding,
  isOff,
}: {
  readonly lot: Lot
  readonly bidding: Bidding
  readonly isOff: boolean
}) {
  if (buyNow === null) return null
  return (
    <button
      type="button"
      class="button wide"
      disabled={isOff}
      onClick={() => bidding.review({ kind: 'buy-now', amount: buyNow })}
    >
      {t('panel.buy-now', { price: writing.value.money(buyNow, currency) })}
    </button>
  )
}

export function readField(lot: Lot, { typed }: Bidding): ReadAmount {
  const minimum = prefill(lot)
  if (typed.value === null) return { kind: 'amount', amount: minimum }
  return readAmount(typed.value, decimalsOf(minimum), numberSigns(locale.value))
}

export function focusField(): void {
  const field = document.getElementById(FIELD) as HTMLInputElement | null
  field?.focus()
  field?.select()
}

function submitLabel(panel: Panel, kind: 'plain' | 'max', _amount: string, price: string): string {
  if (panel.kind === 'sending') return t('panel.sending', { amount: price })
  if (panel.kind === 'leading') return t('panel.raise')
  return kind === 'max' ? t('panel.max') : t('panel.bid', { price })
}

function wrongText(read: ReadAmount, lot: Lot, kind: 'plain' | 'max'): string | null {
  const { money } = writing.value
  const minimum = prefill(lot)
  switch (read.kind) {
    case 'empty':
      return t('bid.invalid', { example: writing.value.number(minimum) })
    case 'ambiguous': {
      const [first, second] = read.readings
      return t('bid.ambiguous', { first: money(first, lot.currency), second: money(second, lot.currency) })
    }
    case 'invalid':
      if (read.why === 'negative') return t('bid.negative')
      if (read.why === 'too-many-decimals')
        return t('bid.decimals', { decimals: decimalsOf(minimum), unit: lot.currency })
      return t('bid.invalid', { example: writing.value.number(minimum) })
    case 'amount':
      // Who leads may raise a maximum by less than a step.
      return kind === 'plain' && compareAmounts(read.amount, minimum) < 0
        ? t('bid.too-low', { price: money(minimum, lot.currency) })
        : null
    default: {
      const unknown: never = read
      throw new Error(`unknown reading ${JSON.stringify(unknown)}`)
    }
  }
}

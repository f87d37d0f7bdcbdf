import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { CommandOutcome, OpenTerms, VendueClient } from 'vendue/client'
import { MAX_TITLE_LENGTH } from '../../../../../src/domain/limits.js'
import { numberSigns } from '../../model/amount.js'
import {
  changedAdvanced,
  DURATIONS,
  firstAmounts,
  newSale,
  type Sale,
  type SaleProblem,
  SOFT_CLOSES,
  termsOf,
} from '../../model/sale.js'
import { durationText } from '../parts/facts.js'
import { Choice, Field, TextField } from '../parts/fields.js'
import { Icon, Note } from '../parts/icons.js'
import { Invitation } from '../parts/invitation.js'
import { PictureField } from '../parts/picture-field.js'
import { Price } from '../parts/price.js'
import { take } from '../state/catalogue.js'
import { readClock } from '../state/clock.js'
import { locale, t, writing } from '../state/language.js'
import { PictureDrafts } from '../state/picture-drafts.js'
import { go } from '../state/router.js'
import { client, gatewayInfo, isOpenMode, visitor } from '../state/session.js'
import '../../design/catalogue.css'
import '../../design/pictures.css'

/** Bids in the preview. */
const PREVIEWED = 4

export function Sell() {
  const sale = useSignal<Sale>(newSale(gatewayInfo.value?.default_currency ?? 'USD'))
  const hasTried = useSignal(false)
  const touched = useSignal<ReadonlySet<keyof Sale>>(new Set())
  const sending = useSignal<'no' | 'yes' | { readonly failed: string }>('no')
  const drafts = usePictures()
  if (visitor.value === null) return <Invitation page="sell" to="/sell" />
  if (!visitor.value.scopes.includes('sell'))
    return (
      <div class="narrow">
        <div class="empty">
          <h1>{t('sell.title')}</h1>
          <p>{t('sell.may-not')}</p>
          <a class="button" href="/">
            {t('lot.back')}
          </a>
        </div>
      </div>
    )
  const set = (field: keyof Sale) => (value: string) => {
    sale.value = { ...sale.value, [field]: value }
    if (value !== '') touched.value = new Set([...touched.value, field])
  }
  const context = { signs: numberSigns(locale.value), nowMs: readClock(), decimals: decimalsFor }
  const { terms, problems } = termsOf(sale.value, context)
  const wrong = (field: keyof Sale) => {
    const problem = problems[field]
    return problem && (hasTried.value || touched.value.has(field)) ? problemText(problem, sale.value) : null
  }
  const changed = changedAdvanced(sale.value)
  const isAdvancedWrong = (['reserve', 'buyNow', 'increment', 'opens'] as const).some((field) => wrong(field))
  const submit = async (event: Event) => {
    event.preventDefault()
    hasTried.value = true
    if (!terms || !drafts.isReady || sending.value === 'yes') {
      requestAnimationFrame(showWrong)
      return
    }
    sending.value = 'yes'
    try {
      const outcome = await openWithPictures(client.value!, terms, drafts)
      if (outcome.status === 'rejected') {
        sending.value = { failed: outcome.reason }
        return
      }
      take({ ...outcome.auction, you: 'seller' })
      go(`/lot/${outcome.auction_id}`)
    } catch (error) {
      sending.value = { failed: (error as Error).message }
    }
  }
  const field = (name: keyof Sale) => ({ value: sale.value[name], onValue: set(name), wrong: wrong(name) })
  return (
    <div class="sell">
      <form class="stack" onSubmit={(event) => void submit(event)} noValidate>
        <h1>{t('sell.title')}</h1>
        <p class="soft">{t('sell.intro')}</p>
        <div class="card stack">
          <TextField label={t('sell.what')} {...field('title')} input={{ dir: 'auto' }} />
          <Field label={t('sell.description')} optional>
            {(wired) => (
              <textarea
                class="input"
                dir="auto"
                value={sale.value.description}
                onInput={(event) => set('description')(event.currentTarget.value)}
                {...wired}
              />
            )}
          </Field>
          <PictureField drafts={drafts} />
          <div class="fields">
            <TextField label={t('sell.price')} {...field('price')} input={{ inputMode: 'decimal', dir: 'ltr' }} />
            <TextField label={t('sell.currency')} {...field('currency')} input={{ dir: 'ltr', maxLength: 10 }} />
            <Choice
              label={t('sell.duration')}
              value={sale.value.minutes}
              onValue={set('minutes')}
              options={DURATIONS.map((minutes) => [minutes, minutesText(minutes)] as const)}
            />
          </div>
          <details open={changed > 0 || isAdvancedWrong}>
            <summary>
              <Icon name="right" />
              {t('sell.advanced')}
              {changed > 0 && <span class="soft small">{t('sell.advanced.changed', { count: changed })}</span>}
            </summary>
            <Advanced field={field} sale={sale.value} set={set} wrong={wrong} />
          </details>
        </div>
        {typeof sending.value === 'object' && (
          <Note tone="bad" icon="warn" role="alert">
            {t('sell.failed', { reason: sending.value.failed })}
          </Note>
        )}
        <button type="submit" class="button primary wide" disabled={sending.value === 'yes'}>
          {t(sending.value === 'yes' ? 'sell.going' : 'sell.go')}
        </button>
      </form>
      <Preview
        sale={sale.value}
        price={terms?.start_price ?? null}
        amounts={firstAmounts(sale.value, context, PREVIEWED)}
        picture={drafts.all.value.find(({ url }) => url !== null)?.url ?? null}
      />
    </div>
  )
}

/** The first field that is wrong, also where the seller has folded it away. */
function showWrong(): void {
  const field = document.querySelector<HTMLElement>('[aria-invalid="true"]')
  const folded = field?.closest('details')
  if (folded) folded.open = true
  field?.focus()
}

function Advanced({
  field,
  sale,
  set,
  wrong,
}: {
  field: (name: keyof Sale) => { value: string; onValue: (value: string) => void; wrong: string | null }
  sale: Sale
  set: (name: keyof Sale) => (value: string) => void
  wrong: (name: keyof Sale) => string | null
}) {
  const decimal = { inputMode: 'decimal', dir: 'ltr' } as const
  return (
    <div class="fields">
      <TextField label={t('sell.reserve')} help={t('sell.reserve.help')} {...field('reserve')} input={decimal} />
      <TextField label={t('sell.buy-now')} help={t('sell.buy-now.help')} {...field('buyNow')} input={decimal} />
      <TextField label={t('sell.increment')} help={t('sell.increment.help')} {...field('increment')} input={decimal} />
      <Choice
        label={t('sell.soft-close')}
        help={t('sell.soft-close.help')}
        value={sale.softClose}
        onValue={set('softClose')}
        options={SOFT_CLOSES.map((seconds) => [
          seconds,
          seconds === '0' ? t('sell.soft-close.off') : durationText(Number(seconds) * 1_000),
        ])}
      />
      <Field label={t('sell.opens')} help={t('sell.opens.help')} wrong={wrong('opens')}>
        {(wired) => (
          <input
            class="input"
            type="datetime-local"
            value={sale.opens}
            onInput={(event) => set('opens')(event.currentTarget.value)}
            {...wired}
          />
        )}
      </Field>
      {!isOpenMode.value && (
        <Choice
          label={t('sell.names')}
          help={t('sell.names.help')}
          value={sale.names}
          onValue={set('names')}
          options={[
            ['public', t('sell.names.public')],
            ['pseudonyms', t('sell.names.pseudonyms')],
          ]}
        />
      )}
    </div>
  )
}

/** The tile as others will see it, and how bidding would go. */
function Preview({
  sale,
  price,
  amounts,
  picture,
}: {
  sale: Sale
  price: string | null
  /** Of the first bids. */
  amounts: readonly string[]
  picture: string | null
}) {
  const currency = sale.currency.trim().toUpperCase()
  return (
    <aside class="preview stack" aria-label={t('sell.preview')}>
      <h2>{t('sell.preview')}</h2>
      <article class={picture === null ? 'tile' : 'tile with-picture'}>
        {picture !== null && (
          <div class="shot">
            <img src={picture} alt="" />
          </div>
        )}
        <h3 class="tile-title">
          <bdi>{sale.title.trim() === '' ? t('sell.untitled') : sale.title}</bdi>
        </h3>
        <p class="seller">{t('lot.seller', { name: visitor.value?.name ?? '' })}</p>
        <div class="value">
          <div class="small soft">{t('lot.starting')}</div>
          {price === null ? <span class="price soft">–</span> : <Price amount={price} currency={currency} />}
        </div>
        <div class="foot">
          <span>{minutesText(sale.minutes)}</span>
          <span>{t('lot.bids', { count: 0 })}</span>
        </div>
      </article>
      {amounts.length > 0 && (
        <p class="soft small">
          {t('sell.preview.bidding', {
            amounts: amounts.map((amount) => writing.value.money(amount, currency)).join(', '),
          })}
        </p>
      )}
    </aside>
  )
}

/** Kept as long as the form is. */
function usePictures(): PictureDrafts {
  const drafts = useRef<PictureDrafts | null>(null)
  drafts.current ??= new PictureDrafts()
  const { current } = drafts
  useEffect(() => () => current.close(), [current])
  return current
}

/** Pictures go to the gateway that opens the auction. Where another serves by then, they go there. */
async function openWithPictures(by: VendueClient, terms: OpenTerms, drafts: PictureDrafts): Promise<CommandOutcome> {
  const open = async () => {
    const pictures = await drafts.send(by)
    return by.open({ ...terms, ...(pictures.length > 0 && { pictures }) })
  }
  try {
    return await open()
  } catch (error) {
    if (!drafts.forgetsAfter(error)) throw error
    return open()
  }
}

function minutesText(minutes: string): string {
  if (minutes === '') return t('sell.duration.none')
  const count = Number(minutes)
  if (count % 1_440 === 0) return t('sell.duration.days', { count: count / 1_440 })
  if (count % 60 === 0) return t('sell.duration.hours', { count: count / 60 })
  return t('sell.duration.minutes', { count })
}

function decimalsFor(currency: string): number {
  try {
    return new Intl.NumberFormat('en', { style: 'currency', currency }).resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    // A unit that is no currency of ISO 4217: the gateway knows how many decimals it has.
    return 8
  }
}

function problemText(problem: SaleProblem, sale: Sale): string {
  const unit = sale.currency.trim().toUpperCase()
  switch (problem) {
    case 'title-missing':
      return t('sell.title.missing')
    case 'title-long':
      return t('sell.title.long', { max: MAX_TITLE_LENGTH })
    case 'price-missing':
      return t('sell.price.missing')
    case 'amount':
    case 'ambiguous':
      return t('bid.invalid', { example: writing.value.number('1234.50') })
    case 'decimals':
      return t('bid.decimals', { decimals: decimalsFor(unit), unit })
    case 'reserve-low':
      return t('sell.reserve.low')
    case 'buy-now-low':
      return t('sell.buy-now.low')
    case 'currency':
      return t('sell.currency.bad')
    case 'opens-past':
      return t('sell.opens.past')
    case 'opens-late':
      return t('sell.opens.late')
    default: {
      const unknown: never = problem
      throw new Error(`unknown problem ${String(unknown)}`)
    }
  }
}

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { AutoBid } from 'vendue/client'
import { decimalsOf, numberSigns, readAmount } from '../../model/amount.js'
import type { Lot } from '../../model/lot.js'
import { prefill } from '../../model/panel.js'
import { locale, t, writing } from '../state/language.js'
import { client, visitor } from '../state/session.js'
import { TextField } from './fields.js'
import { Note } from './icons.js'

const LOOK_MS = 5_000

/** Whether the visitor runs this gateway's node, and may have it bid for itself. */
export function runsNode(): boolean {
  return visitor.value?.scopes.includes('admin') ?? false
}

/** The limit up to which the gateway's own node bids in this auction, for whoever runs it. */
export function OwnNode({ lot }: { lot: Lot }) {
  const own = useSignal<AutoBid | null>(null)
  const typed = useSignal('')
  const failed = useSignal<string | null>(null)
  const isBusy = useSignal(false)
  const by = client.value
  const may = runsNode()
  useEffect(() => {
    if (!by || !may) return
    const look = () => {
      by.autoBids({ deadlineMs: LOOK_MS }).then(
        (all) => {
          own.value = all.find(({ auction_id: id }) => id === lot.id) ?? null
        },
        // What is shown stays, and is asked for again.
        () => undefined,
      )
    }
    look()
    const timer = setInterval(look, LOOK_MS)
    return () => clearInterval(timer)
  }, [by, may, lot.id])
  if (!by || !may || lot.ending) return null
  const read = readAmount(typed.value, decimalsOf(prefill(lot)), numberSigns(locale.value))
  const limit = read.kind === 'amount' ? read.amount : null
  const does = (work: () => Promise<AutoBid>) => {
    isBusy.value = true
    failed.value = null
    work()
      .then(
        (made) => {
          own.value = made
          typed.value = ''
        },
        (error: Error) => {
          failed.value = error.message
        },
      )
      .finally(() => {
        isBusy.value = false
      })
  }
  return (
    <section class="card stack" aria-labelledby="own-node-title">
      <h2 id="own-node-title">{t('own.title')}</h2>
      <p class="soft measure">{t('own.help')}</p>
      {own.value && (
        <p data-auto-bid={own.value.state}>
          <strong>{writing.value.money(own.value.limit, own.value.currency)}</strong>{' '}
          <span class="soft">{t(`own.state.${own.value.state}`)}</span>
        </p>
      )}
      <form
        class="stack"
        autocomplete="off"
        onSubmit={(event) => {
          event.preventDefault()
          if (limit !== null) does(() => by.setAutoBid(lot.id, limit))
        }}
      >
        <TextField
          label={t('own.limit')}
          value={typed.value}
          onValue={(value) => {
            typed.value = value
          }}
          wrong={
            typed.value !== '' && limit === null
              ? t('bid.invalid', { example: writing.value.number(prefill(lot)) })
              : null
          }
          help={limit === null ? undefined : t('bid.understood', { price: writing.value.money(limit, lot.currency) })}
          input={{ inputMode: 'decimal', dir: 'ltr' }}
        />
        <div class="row">
          <button type="submit" class="button" disabled={limit === null || isBusy.value}>
            {t('own.set')}
          </button>
          {own.value?.state === 'active' && (
            <button
              type="button"
              class="button"
              disabled={isBusy.value}
              onClick={() => does(() => by.stopAutoBid(lot.id))}
            >
              {t('own.stop')}
            </button>
          )}
        </div>
      </form>
      {failed.value !== null && (
        <Note tone="bad" icon="warn" role="alert">
          {failed.value}
        </Note>
      )}
    </section>
  )
}

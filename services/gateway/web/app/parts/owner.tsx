import { useState } from 'preact/hooks'
import type { CommandOutcome } from 'vendue/client'
import type { Lot } from '../../model/lot.js'
import { take } from '../state/catalogue.js'
import { t, writing } from '../state/language.js'
import { client } from '../state/session.js'
import { TextField } from './fields.js'
import { Note } from './icons.js'

const EXTENSION_MINUTES = 5

/** What sellers do with an auction of their own. */
export function Owner({ lot }: { lot: Lot }) {
  const [asks, setAsks] = useState<'close' | 'cancel' | null>(null)
  const [reason, setReason] = useState('')
  const [isBusy, setBusy] = useState(false)
  const [said, setSaid] = useState<{ tone: 'good' | 'bad'; text: string } | null>(null)
  const { money, clock } = writing.value
  const run = async (work: () => Promise<CommandOutcome>, done: (lot: Lot) => string) => {
    setBusy(true)
    setSaid(null)
    try {
      const outcome = await work()
      if (outcome.status === 'rejected') return setSaid({ tone: 'bad', text: outcome.reason })
      setAsks(null)
      setSaid({ tone: 'good', text: done(take(outcome.auction).peek()) })
    } catch (error) {
      setSaid({ tone: 'bad', text: t('error.unexpected', { reason: (error as Error).message }) })
    } finally {
      setBusy(false)
    }
  }
  const by = client.value
  if (!by || lot.you !== 'seller') return null
  const closed = (after: Lot) =>
    after.ending?.kind === 'sold' ? t('owner.winner', { name: after.ending.winnerName }) : t('owner.done.closed')
  return (
    <section class="card stack" aria-labelledby="owner-title">
      <h2 id="owner-title">{t('owner.title')}</h2>
      {said && (
        <Note tone={said.tone} icon={said.tone === 'good' ? 'check' : 'warn'} role="status">
          {said.text}
        </Note>
      )}
      {lot.ending?.kind === 'sold' && !said && <p dir="auto">{t('owner.winner', { name: lot.ending.winnerName })}</p>}
      {!lot.ending && asks === null && (
        <div class="row">
          <button type="button" class="button" disabled={isBusy} onClick={() => setAsks('close')}>
            {t('owner.close')}
          </button>
          {lot.closesAtMs !== null && (
            <button
              type="button"
              class="button"
              disabled={isBusy}
              onClick={() =>
                void run(
                  () => by.extend(lot.id, { bySeconds: EXTENSION_MINUTES * 60 }),
                  (after) => t('owner.done.extended', { time: clock(after.closesAtMs ?? 0) }),
                )
              }
            >
              {t('owner.extend', { minutes: EXTENSION_MINUTES })}
            </button>
          )}
          {lot.bidCount === 0 && (
            <button type="button" class="button danger" disabled={isBusy} onClick={() => setAsks('cancel')}>
              {t('owner.cancel')}
            </button>
          )}
        </div>
      )}
      {asks === 'close' && (
        <div class="stack">
          <p>
            {lot.price === null
              ? t('owner.close.sure.no-bids')
              : t('owner.close.sure', { price: money(lot.price, lot.currency) })}
          </p>
          <Sure
            isBusy={isBusy}
            label={t('owner.close')}
            onYes={() => void run(() => by.closeAuction(lot.id), closed)}
            onNo={() => setAsks(null)}
          />
        </div>
      )}
      {asks === 'cancel' && (
        <div class="stack">
          <TextField
            label={t('owner.cancel.reason')}
            optional
            value={reason}
            onValue={setReason}
            input={{ maxLength: 1_000 }}
          />
          <Sure
            isBusy={isBusy}
            label={t('owner.cancel.sure')}
            onYes={() =>
              void run(
                () => by.cancel(lot.id, reason.trim() === '' ? {} : { reason: reason.trim() }),
                () => t('panel.cancelled.bare'),
              )
            }
            onNo={() => setAsks(null)}
          />
        </div>
      )}
    </section>
  )
}

function Sure({
  label,
  isBusy,
  onYes,
  onNo,
}: {
  readonly label: string
  readonly isBusy: boolean
  readonly onYes: () => void
  readonly onNo: () => void
}) {
  return (
    <div class="row">
      <button type="button" class="button" disabled={isBusy} onClick={onNo}>
        {t('owner.back')}
      </button>
      <button type="button" class="button danger" disabled={isBusy} onClick={onYes}>
        {label}
      </button>
    </div>
  )
}

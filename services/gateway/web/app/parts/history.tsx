import { timeText } from '../../../../../src/application/log/time-text.js'
import type { Lot } from '../../model/lot.js'
import type { Settled } from '../state/bidding.js'
import { t, writing } from '../state/language.js'
import type { OpenLot } from '../state/open-lot.js'
import { Icon } from './icons.js'
import { Receipts } from './receipts.js'
import { settledText } from './refusal.js'

/** Accepted bids, newest first; the visitor's refused ones are folded away. */
export function History({ open, lot, own }: { open: OpenLot; lot: Lot; own: readonly Settled[] }) {
  const { money, clock } = writing.value
  const all = open.bids.value
  const lines = all.slice(0, open.shown.value)
  const refused = own.filter(({ result }) => result.kind !== 'accepted')
  return (
    <section class="history" aria-labelledby="history-title">
      <h2 id="history-title">{t('history.title')}</h2>
      {lines.length === 0 && <p class="soft">{t('history.empty')}</p>}
      <ol>
        {lines.map((line) => {
          const isOwn = lot.ownIds.has(line.bidderId)
          return (
            <li key={line.seq} class={isOwn ? 'own' : ''}>
              <span class="who">
                <bdi>{isOwn ? t('history.you') : line.bidder}</bdi>
                <Remark line={line} />
              </span>
              <span class="amount-cell">{money(line.price, lot.currency)}</span>
              <time dateTime={timeText(line.atMs)}>{clock(line.atMs)}</time>
            </li>
          )
        })}
      </ol>
      {(open.hasMore.value || all.length > lines.length) && (
        <button type="button" class="button quiet" onClick={() => void open.more()}>
          {t('history.more')}
        </button>
      )}
      {(refused.length > 0 || all.some(({ bidderId }) => lot.ownIds.has(bidderId))) && <Receipts lot={lot} />}
      {refused.length > 0 && (
        <details>
          <summary>
            <Icon name="right" />
            {t('history.refused', { count: refused.length })}
          </summary>
          <ol>
            {refused.map((bid) => (
              <li key={bid.bidId}>
                <span>
                  {settledText(bid, lot).text}
                  <span class="soft small">
                    {' '}
                    {t('bid.receipt')}: {bid.bidId}
                  </span>
                </span>
                <span class="amount-cell">{money(bid.offer.amount, lot.currency)}</span>
                <time dateTime={timeText(bid.atMs)}>{clock(bid.atMs)}</time>
              </li>
            ))}
          </ol>
        </details>
      )}
    </section>
  )
}

function Remark({ line }: { line: { kind: string; leads: boolean } }) {
  const key =
    line.kind === 'buy-now'
      ? 'history.buy-now'
      : line.kind === 'max' || line.kind === 'max-change'
        ? 'history.max'
        : line.leads
          ? null
          : 'history.auto'
  return key && <span class="soft small"> · {t(key)}</span>
}

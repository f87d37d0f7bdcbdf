import { softCloseShare } from '../../model/countdown.js'
import type { Lot } from '../../model/lot.js'
import { type Panel, takesBids } from '../../model/panel.js'
import { panelWords } from '../../model/panel-words.js'
import type { Settled } from '../state/bidding.js'
import { now } from '../state/clock.js'
import { t, writing } from '../state/language.js'
import type { Missed } from '../state/open-lot.js'
import { isOpenMode } from '../state/session.js'
import { type Bidding, BidForm } from './bid-form.js'
import { Icon, type IconName, Note } from './icons.js'
import { Price } from './price.js'
import { settledText } from './refusal.js'
import { speechFor } from './speech.js'
import { Flash } from './tile.js'
import { countdownText } from './time.js'
import { whyAsked } from './verify.js'

const ICONS: Readonly<Record<Panel['kind'], IconName>> = {
  over: 'check',
  disputed: 'warn',
  closing: 'clock',
  'home-away': 'away',
  disconnected: 'away',
  unknown: 'warn',
  moving: 'clock',
  'not-eligible': 'lock',
  sending: 'clock',
  leading: 'check',
  outbid: 'up',
  open: 'tag',
}

export function BiddingPanel({
  lot,
  panel,
  bidding,
  last,
  missed,
}: {
  readonly lot: Lot
  readonly panel: Panel
  readonly bidding: Bidding
  readonly last: Settled | null
  readonly missed: Missed | null
}) {
  const isStale = panel.kind === 'disconnected' || panel.kind === 'home-away'
  const shown = lot.price ?? lot.startPrice
  const label = lot.ending?.kind === 'sold' ? 'lot.final' : lot.price === null ? 'lot.starting' : 'lot.current'
  return (
    <section class="card panel" aria-label={t('lot.current')}>
      <div class={`panel-price ${isStale ? 'stale' : ''}`}>
        <div class="soft">{t(label)}</div>
        <Flash of={shown}>
          <Price amount={shown} currency={lot.currency} large />
        </Flash>
        <div class="soft">
          {t('lot.bids', { count: lot.bidCount })} · {t(reserveKey(lot))}
          {lot.bidCount > 0 && (
            <>
              {' · '}
              <button
                type="button"
                class="link"
                onClick={() => {
                  whyAsked.value += 1
                }}
              >
                {t('panel.why')}
              </button>
            </>
          )}
        </div>
      </div>
      <Clock lot={lot} />
      <div class="panel-body stack">
        <State panel={panel} lot={lot} />
        {missed && (
          <Note icon="clock" role="status">
            {t('connection.missed', {
              count: missed.count,
              price: writing.value.money(missed.price, lot.currency),
            })}
          </Note>
        )}
        {last && <Last last={last} lot={lot} panel={panel} />}
        <Control panel={panel} lot={lot} bidding={bidding} />
      </div>
    </section>
  )
}

function State({ panel, lot }: { panel: Panel; lot: Lot }) {
  const words = panelWords(panel, speechFor(lot.currency), isOpenMode.value)
  return (
    <div class={`state ${words.tone}`} data-state={panel.kind}>
      <Icon name={ICONS[panel.kind]} />
      <div>
        <strong dir="auto">{words.headline}</strong>
        {words.detail}
      </div>
    </div>
  )
}

/** The refusal of the last offer, until things have moved on; what was accepted the state says by itself. */
function Last({ last, lot, panel }: { last: Settled; lot: Lot; panel: Panel }) {
  if (last.result.kind === 'accepted' || panel.kind === 'sending' || panel.kind === 'unknown') return null
  const { text } = settledText(last, lot)
  return (
    <Note tone="bad" icon="warn" role="alert">
      <span data-refused>{text}</span>
    </Note>
  )
}

function Control({ panel, lot, bidding }: { panel: Panel; lot: Lot; bidding: Bidding }) {
  if (panel.kind === 'over')
    return (
      <a class="button wide" href={`/api/v1/auctions/${lot.id}/log`} download={`${lot.id}.vendue`}>
        {t('panel.proof')}
      </a>
    )
  if (panel.kind === 'disputed')
    return (
      <a class="button wide" href={`/api/v1/auctions/${lot.id}/log`} download={`${lot.id}.vendue`}>
        {t('panel.proof')}
      </a>
    )
  if (panel.kind === 'not-eligible')
    return panel.why === 'log-in' ? (
      <a class="button primary wide" href={`/account?then=${encodeURIComponent(`/lot/${lot.id}`)}`}>
        {t(isOpenMode.value ? 'panel.name' : 'panel.log-in')}
      </a>
    ) : null
  return <BidForm lot={lot} panel={panel} bidding={bidding} isOff={!takesBids(panel)} />
}

function Clock({ lot }: { lot: Lot }) {
  const nowMs = now.value
  const { when, clock } = writing.value
  if (lot.ending)
    return (
      <div class="panel-clock">
        <span class="left">{t('lot.closed')}</span>
        {lot.endedAtMs !== null && <span class="end">{when(lot.endedAtMs)}</span>}
      </div>
    )
  const share = softCloseShare(lot.closesAtMs, lot.softClose?.windowMs ?? null, nowMs)
  const { extension } = lot
  return (
    <div class="panel-clock">
      <span class="left" role="timer" aria-live="off" aria-label={t('time.left')}>
        {countdownText(lot.status === 'scheduled' ? lot.opensAtMs : lot.closesAtMs, nowMs)}
      </span>
      {lot.closesAtMs !== null && (
        <span class="end">
          {t(lot.status === 'scheduled' ? 'lot.opens' : 'lot.ends', {
            time: when((lot.status === 'scheduled' ? lot.opensAtMs : null) ?? lot.closesAtMs),
          })}
        </span>
      )}
      {share !== null && (
        <span class="bar" aria-hidden="true">
          <i style={{ transform: `scaleX(${share})` }} />
        </span>
      )}
      {extension && extension.closesAtMs === lot.closesAtMs && (
        <span class="extension" data-extended>
          {extension.by === 'soft-close'
            ? t('time.extended', { end: clock(extension.closesAtMs), time: clock(extension.atMs) })
            : t(EXTENDED[extension.by], { end: clock(extension.closesAtMs) })}
        </span>
      )}
    </div>
  )
}

const EXTENDED = {
  seller: 'time.extended.seller',
  outage: 'time.extended.outage',
  takeover: 'time.extended.takeover',
} as const

export function reserveKey(lot: Lot) {
  if (!lot.hasReserve) return 'lot.reserve.none' as const
  return lot.reserveMet ? ('lot.reserve.met' as const) : ('lot.reserve.unmet' as const)
}

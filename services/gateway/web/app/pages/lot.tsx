import { useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { stepped } from '../../model/amount.js'
import { seen, viewOf } from '../../model/catalogue.js'
import { confirmReason, type Offer, openSheet, priceMoved, type Sheet, tapped } from '../../model/confirm.js'
import { shortCountdown, spokenMark } from '../../model/countdown.js'
import type { Lot } from '../../model/lot.js'
import { type Panel, panelOf, prefill, takesBids } from '../../model/panel.js'
import { panelWords, tabTitle } from '../../model/panel-words.js'
import { type Bidding, focusField, readField } from '../parts/bid-form.js'
import { ConfirmSheet } from '../parts/confirm-sheet.js'
import { Facts } from '../parts/facts.js'
import { History } from '../parts/history.js'
import { Icon } from '../parts/icons.js'
import { useKeys } from '../parts/keyboard.js'
import { AskForNotices } from '../parts/notices.js'
import { OwnNode } from '../parts/own-node.js'
import { Owner } from '../parts/owner.js'
import { BiddingPanel, reserveKey } from '../parts/panel.js'
import { Gallery } from '../parts/pictures.js'
import { PriceChart } from '../parts/price-chart.js'
import { speechFor } from '../parts/speech.js'
import { Standing } from '../parts/time.js'
import { Verify } from '../parts/verify.js'
import { Watchers } from '../parts/watchers.js'
import { announcePolitely } from '../state/announce.js'
import { pending, place as placeBid, settled } from '../state/bidding.js'
import { lots, toggleWatched, watched } from '../state/catalogue.js'
import { now, readClock } from '../state/clock.js'
import { keptHere } from '../state/kept.js'
import { t, writing } from '../state/language.js'
import { OpenLot } from '../state/open-lot.js'
import { reachNow } from '../state/reach.js'
import { go, place } from '../state/router.js'
import { client, failed, generation, isOpenMode, visitor } from '../state/session.js'
import '../../design/catalogue.css'
import '../../design/lot.css'
import '../../design/pictures.css'

export function LotPage() {
  const where = place.value
  const id = where.view === 'lot' ? where.id : ''
  const by = client.value
  const started = generation.value
  const isOffline = !by && failed.value
  const [open, setOpen] = useState<OpenLot | null>(null)
  useEffect(() => {
    if (!by && !isOffline) return
    const opened = new OpenLot(by, id)
    setOpen(opened)
    return () => opened.close()
  }, [by, id, started, isOffline])
  if (open?.isMissing.value)
    return (
      <div class="empty">
        <h1>{t(isOffline ? 'lot.unknown.title' : 'lot.missing.title')}</h1>
        <p>{t(isOffline ? 'lot.unknown' : 'lot.missing')}</p>
        <a class="button" href="/">
          {t('lot.back')}
        </a>
      </div>
    )
  const lot = open?.lot.value?.value
  if (!open || open.id !== id || !lot) return <p class="soft">{t('catalogue.loading')}</p>
  return <OpenedLot key={id} open={open} lot={lot} />
}

function OpenedLot({ open, lot }: { open: OpenLot; lot: Lot }) {
  const panel = usePanel(lot, open.isMoving.value)
  const kind = useSignal<'plain' | 'max'>('plain')
  const typed = useSignal<string | null>(null)
  const { sheet, review, tap, close, skips, setSkips } = useConfirming(lot, typed)
  const bidding: Bidding = { kind, typed, review }
  const own = settled.value.get(lot.id) ?? []
  useTitle(lot, panel)
  useSpokenClock(lot)
  useLotKeys(lot, panel, bidding)
  const isWatched = watched.value.has(lot.id)
  return (
    <div class="lot-page">
      <div class="lot">
        <header class="lot-head">
          <a class="button quiet flush" href="/">
            <Icon name="left" />
            {t('lot.back')}
          </a>
          <h1>
            <bdi>{lot.title}</bdi>
          </h1>
          <div class="facts-line">
            <span>{t('lot.seller', { name: lot.sellerName })}</span>
            <span>{t(reserveKey(lot))}</span>
            <Standing you={lot.you} />
            <button
              type="button"
              class="button quiet flush"
              aria-pressed={isWatched}
              onClick={() => toggleWatched(lot.id)}
            >
              <Icon name="eye" />
              {t(isWatched ? 'lot.watched' : 'lot.watch')}
            </button>
            <Watchers presence={open.presence.value} />
          </div>
        </header>
        <div class="lot-side">
          <BiddingPanel lot={lot} panel={panel} bidding={bidding} last={own[0] ?? null} missed={open.missed.value} />
          <AskForNotices />
        </div>
        <div class="lot-rest">
          <Gallery lot={lot} />
          <Owner lot={lot} />
          <OwnNode lot={lot} />
          {lot.description !== '' && (
            <section aria-labelledby="description-title">
              <h2 id="description-title">{t('lot.description')}</h2>
              <p class="description" dir="auto">
                {lot.description}
              </p>
            </section>
          )}
          <PriceChart open={open} lot={lot} />
          <History open={open} lot={lot} own={own} />
          <Verify lot={lot} />
          <Facts lot={lot} />
        </div>
      </div>
      <Dock lot={lot} panel={panel} bidding={bidding} />
      {sheet && <ConfirmSheet sheet={sheet} lot={lot} skips={skips} onSkips={setSkips} onTap={tap} onClose={close} />}
    </div>
  )
}

function usePanel(lot: Lot, isMoving: boolean): Panel {
  const who = visitor.value
  const sent = pending.value.get(lot.id)
  const [last] = settled.value.get(lot.id) ?? []
  const nowMs = now.value
  const reach = reachNow()
  return panelOf({
    lot,
    nowMs,
    reach,
    // What was heard before the connection was lost says nothing of now.
    isMoving: isMoving && reach.kind === 'live',
    visitor: who === null ? 'nobody' : who.scopes.includes('bid') ? 'bidder' : 'reader',
    pending: sent
      ? sent.status === 'unknown'
        ? { kind: 'unknown', amount: sent.offer.amount }
        : { kind: 'sending', amount: sent.offer.amount, forMs: nowMs - sent.sentAtMs }
      : null,
    lostToTie:
      last?.result.kind === 'accepted' && !last.result.leads && last.result.price === last.offer.amount
        ? lot.price === last.offer.amount
        : false,
  })
}

/** The way of an offer: over the sheet where it has to be confirmed, and then out, once. */
function useConfirming(lot: Lot, typed: { value: string | null }) {
  const sheet = useSignal<Sheet | null>(null)
  const [skips, setSkipsHere] = useState(keptHere.get(`skips.${lot.id}`) === 'yes')
  const setSkips = (wanted: boolean) => {
    setSkipsHere(wanted)
    keptHere.set(`skips.${lot.id}`, wanted ? 'yes' : null)
  }
  const send = (offer: Offer) => {
    sheet.value = null
    typed.value = null
    placeBid(lot.id, offer)
  }
  const review = (offer: Offer) => {
    const isFirst =
      lot.you === null &&
      !settled
        .peek()
        .get(lot.id)
        ?.some(({ result }) => result.kind === 'accepted')
    const reason = confirmReason(offer, { minimum: lot.minimum, isFirst, skips })
    if (reason === null) send(offer)
    else sheet.value = openSheet(offer, reason, lot.minimum, performance.now())
  }
  const { minimum } = lot
  useEffect(() => {
    const before = sheet.peek()
    if (before) sheet.value = priceMoved(before, minimum, performance.now())
  }, [minimum, sheet])
  const tap = () => {
    if (!sheet.value) return
    const what = tapped(sheet.value, performance.now())
    if (what.kind === 'again') sheet.value = what.sheet
    else if (what.kind === 'go') send(sheet.value.offer)
  }
  const close = () => {
    sheet.value = null
  }
  return { sheet: sheet.value, review, tap, close, skips, setSkips }
}

/** On phones: standing and the next step, under the thumb. */
function Dock({ lot, panel, bidding }: { lot: Lot; panel: Panel; bidding: Bidding }) {
  const words = panelWords(panel, speechFor(lot.currency), isOpenMode.value)
  const read = readField(lot, bidding)
  const amount = read.kind === 'amount' ? read.amount : prefill(lot)
  const price = writing.value.money(amount, lot.currency)
  return (
    <div class="dock">
      <div class={`dock-state ${words.tone}`}>{words.headline}</div>
      {panel.kind === 'not-eligible' && panel.why === 'log-in' && (
        <a class="button primary" href={`/account?then=${encodeURIComponent(`/lot/${lot.id}`)}`}>
          {t('account.log-in')}
        </a>
      )}
      {panel.kind === 'leading' && (
        <button type="button" class="button" onClick={focusField}>
          {t('panel.raise')}
        </button>
      )}
      {panel.kind !== 'leading' && takesBids(panel) && (
        <button
          type="button"
          class="button primary"
          disabled={read.kind !== 'amount'}
          onClick={() => bidding.review({ kind: bidding.kind.value, amount })}
        >
          {t('panel.bid', { price })}
        </button>
      )}
    </div>
  )
}

function useTitle(lot: Lot, panel: Panel): void {
  const title = useComputed(() => {
    const { money } = writing.value
    const standing = lot.you === null || lot.you === 'seller' ? null : t(`lot.you.${lot.you}`)
    const left = lot.ending
      ? t('lot.closed')
      : panel.kind === 'closing'
        ? t('time.closing')
        : shortCountdown(lot.closesAtMs, now.value)
    return tabTitle(left, money(lot.price ?? lot.startPrice, lot.currency), standing, lot.title)
  })
  useSignalEffect(() => {
    document.title = title.value
  })
  document.title = title.value
}

/** 60, 30 and 10 s before the end, for those who have a part in it. */
function useSpokenClock(lot: Lot): void {
  const before = useRef(readClock())
  const current = useRef(lot)
  current.current = lot
  useSignalEffect(() => {
    const nowMs = now.value
    const { closesAtMs, you, ending } = current.current
    const mark = ending ? null : spokenMark(closesAtMs, { beforeMs: before.current, nowMs })
    before.current = nowMs
    if (mark !== null && (you === 'leading' || you === 'outbid')) announcePolitely(t('time.spoken', { seconds: mark }))
  })
}

function useLotKeys(lot: Lot, panel: Panel, bidding: Bidding): void {
  const step = (direction: 1 | -1) => {
    const minimum = prefill(lot)
    const read = readField(lot, bidding)
    const from = read.kind === 'amount' ? read.amount : minimum
    bidding.typed.value = writing.value.number(stepped(from, direction, { minimum, bands: lot.increments }))
  }
  const move = (by: 1 | -1) => {
    const all = seen(
      [...lots.values()].map((other) => other.peek()),
      viewOf(new URLSearchParams()),
      {
        nowMs: readClock(),
        watched: watched.value,
      },
    )
    const next = all[all.findIndex(({ id }) => id === lot.id) + by]
    if (next) go(`/lot/${next.id}`)
  }
  useKeys({
    b: () => takesBids(panel) && focusField(),
    enter: () => {
      const read = readField(lot, bidding)
      if (takesBids(panel) && read.kind === 'amount')
        bidding.review({ kind: panel.kind === 'leading' ? 'max' : bidding.kind.value, amount: read.amount })
    },
    '+': () => step(1),
    '-': () => step(-1),
    j: () => move(1),
    k: () => move(-1),
    w: () => toggleWatched(lot.id),
  })
}

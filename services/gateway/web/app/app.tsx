import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Catalogue } from './pages/catalogue.js'
import { Icon, Mark } from './parts/icons.js'
import { isHelpOpen, KeyboardHelp, useKeys } from './parts/keyboard.js'
import { Notices } from './parts/notices.js'
import { assertive, polite } from './state/announce.js'
import { keeping } from './state/kept.js'
import { t, writing } from './state/language.js'
import { shownAsOfMs } from './state/last-known.js'
import { isLost, priceAsOfMs } from './state/reach.js'
import { followLinks, type Place, place } from './state/router.js'
import { failed, gatewayInfo, isOpenMode, link, visitor } from './state/session.js'
import { missingPart, reload, stale } from './state/staleness.js'

/** Views that most visits do not begin with come when they are asked for. */
const LATER = {
  lot: async () => (await import('./pages/lot.js')).LotPage,
  sell: async () => (await import('./pages/sell.js')).Sell,
  mine: async () => (await import('./pages/mine.js')).Mine,
  account: async () => (await import('./pages/account.js')).Account,
  mesh: async () => (await import('./pages/mesh.js')).Mesh,
} as const satisfies Partial<Record<Place['view'], () => Promise<ComponentType>>>
const loaded = new Map<string, ComponentType>()

const NAV = [
  ['/', 'catalogue', 'nav.auctions'],
  ['/sell', 'sell', 'nav.sell'],
  ['/mine', 'mine', 'nav.mine'],
  ['/mesh', 'mesh', 'nav.mesh'],
] as const

export function App() {
  const { view } = place.value
  useKeys({
    '?': () => {
      isHelpOpen.value = true
    },
  })
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click is that of links, which the keyboard makes as well.
    // biome-ignore lint/a11y/noStaticElementInteractions: likewise
    <div onClick={followLinks}>
      <button type="button" class="skip" onClick={skip}>
        {t('app.skip')}
      </button>
      <header class="top">
        <div class="top-inner">
          <a class="mark" href="/" aria-label={t('app.name')}>
            <Mark />
            <b>{t('app.name')}</b>
          </a>
          <nav class="nav" aria-label={t('nav.main')}>
            {NAV.map(([href, name, key]) => (
              <a key={href} href={href} aria-current={view === name ? 'page' : undefined}>
                {t(key)}
              </a>
            ))}
            <a class="who" href="/account" aria-current={view === 'account' ? 'page' : undefined}>
              <Icon name="user" />
              &nbsp;
              <span dir="auto">{visitor.value?.name ?? t(isOpenMode.value ? 'nav.account' : 'account.log-in')}</span>
            </a>
          </nav>
        </div>
        <Banners />
      </header>
      <main id="main" tabIndex={-1}>
        <View place={place.value} />
      </main>
      <Notices />
      <KeyboardHelp />
      <div class="sr" aria-live="polite" aria-atomic="true">
        {polite}
      </div>
      <div class="sr" role="alert" aria-atomic="true">
        {assertive}
      </div>
    </div>
  )
}

function Banners() {
  const isUnreached = gatewayInfo.value === null
  const away = isUnreached ? (failed.value ? offlineText() : null) : isLost() ? lostText() : null
  return (
    <>
      {away !== null && (
        <div class="banner warn" role="status" data-away>
          <Icon name="away" />
          <span>{away}</span>
        </div>
      )}
      {stale.value && (
        <div class="banner warn" role="status" data-stale>
          <Icon name="clock" />
          <span>{t('stale.banner')}</span>
          <button type="button" class="link" onClick={reload}>
            {t('stale.reload')}
          </button>
        </div>
      )}
      {keeping.value !== null && !isKeepingSeen.value && (
        <div class="banner" role="status" data-keeping>
          <Icon name="warn" />
          <span>{t(`keeping.${keeping.value}`)}</span>
          <button
            type="button"
            class="link"
            onClick={() => {
              isKeepingSeen.value = true
            }}
          >
            {t('keeping.seen')}
          </button>
        </div>
      )}
      {isOpenMode.value && (
        <div class="banner">
          <Icon name="warn" />
          <span>{t('open.banner')}</span>
        </div>
      )}
    </>
  )
}

const isKeepingSeen = signal(false)

function lostText(): string {
  return t('connection.lost', { time: writing.value.clock(priceAsOfMs()) })
}

/** The gateway has not answered since the page was opened: what is shown is of an earlier visit, or nothing. */
function offlineText(): string {
  const atMs = shownAsOfMs.value
  return atMs === null ? t('offline.nothing') : t('offline.as-of', { time: writing.value.when(atMs) })
}

function View({ place: { view } }: { place: Place }) {
  const [state, setState] = useState<{ readonly tries: number; readonly isFailed: boolean }>({
    tries: 0,
    isFailed: false,
  })
  useEffect(() => {
    if (view === 'catalogue' || view === 'nowhere' || loaded.has(view)) return
    LATER[view]().then(
      (component) => {
        loaded.set(view, component)
        setState(({ tries }) => ({ tries: tries + 1, isFailed: false }))
      },
      () => {
        // Gone from a gateway that is there: it serves another version by now.
        if (link.peek().state === 'online') missingPart()
        setState(({ tries }) => ({ tries, isFailed: true }))
      },
    )
  }, [view, state.tries])
  useEffect(() => {
    if (view !== 'lot') document.title = view === 'catalogue' ? t('app.name') : `${titleOf(view)} · ${t('app.name')}`
  }, [view])
  if (view === 'catalogue') return <Catalogue />
  if (view === 'nowhere')
    return (
      <div class="empty">
        <h1>{t('notfound.title')}</h1>
        <a class="button" href="/">
          {t('lot.back')}
        </a>
      </div>
    )
  const Component = loaded.get(view)
  if (Component) return <Component />
  if (!state.isFailed) return null
  return (
    <div class="empty" role="alert">
      <h1>{t('error.title')}</h1>
      <p>{t('error.part')}</p>
      <button
        type="button"
        class="button"
        onClick={() => setState(({ tries }) => ({ tries: tries + 1, isFailed: false }))}
      >
        {t('error.retry')}
      </button>
    </div>
  )
}

function titleOf(view: Place['view']): string {
  switch (view) {
    case 'sell':
      return t('sell.title')
    case 'mine':
      return t('mine.title')
    case 'account':
      return t('account.title')
    case 'mesh':
      return t('mesh.title')
    default:
      return t('notfound.title')
  }
}

function skip(): void {
  document.querySelector('main')?.focus()
}

import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Catalogue } from './pages/catalogue.js'
import { Icon, Mark } from './parts/icons.js'
import { assertive, polite } from './state/announce.js'
import { t, writing } from './state/language.js'
import { isLost, priceAsOfMs } from './state/reach.js'
import { followLinks, type Place, place } from './state/router.js'
import { failed, gatewayInfo, isOpenMode, visitor } from './state/session.js'

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
              <span dir="auto">
                {visitor.value?.name ?? t(isOpenMode.value ? 'nav.account' : 'account.log-in')}
              </span>
            </a>
          </nav>
        </div>
        <Banners />
      </header>
      <main id="main" tabIndex={-1}>
        <View place={place.value} />
      </main>
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
  const isAway = gatewayInfo.value === null ? failed.value : isLost()
  return (
    <>
      {isAway && (
        <div class="banner warn" role="status">
          <Icon name="away" />
          <span>{t('connection.lost', { time: writing.value.clock(priceAsOfMs()) })}</span>
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

function View({ place: { view } }: { place: Place }) {
  const [, redraw] = useState(0)
  useEffect(() => {
    if (view === 'catalogue' || view === 'nowhere' || loaded.has(view)) return
    void LATER[view]().then((component) => {
      loaded.set(view, component)
      redraw((count) => count + 1)
    })
  }, [view])
  useEffect(() => {
    if (view !== 'lot')
      document.title = view === 'catalogue' ? t('app.name') : `${titleOf(view)} · ${t('app.name')}`
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
  return Component ? <Component /> : null
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

import { computed, signal } from '@preact/signals'

/** Where the visitor is. Views are addresses, so that each can be kept, sent on and gone back to. */
export const address = signal(new URL(location.href))
addEventListener('popstate', () => {
  address.value = new URL(location.href)
})

export type Place =
  | { readonly view: 'catalogue' }
  | { readonly view: 'lot'; readonly id: string }
  | { readonly view: 'sell' | 'mine' | 'account' | 'mesh' | 'nowhere' }

export const place = computed<Place>(() => {
  const { pathname } = address.value
  const lot = /^\/lot\/([A-Za-z0-9_-]{1,96})\/?$/.exec(pathname)
  if (lot) return { view: 'lot', id: lot[1] as string }
  const [, view = ''] = /^\/([a-z]*)\/?$/.exec(pathname) ?? [null, 'nowhere']
  if (view === '') return { view: 'catalogue' }
  return {
    view: view === 'sell' || view === 'mine' || view === 'account' || view === 'mesh' ? view : 'nowhere',
  }
})

export function go(to: string, { replace = false } = {}): void {
  const url = new URL(to, location.href)
  if (replace) history.replaceState(null, '', url)
  else history.pushState(null, '', url)
  address.value = url
  if (!replace) {
    scrollTo(0, 0)
    // Whoever uses a screen reader or the keyboard goes on from the new view's top.
    requestAnimationFrame(() => document.querySelector('main')?.focus({ preventScroll: true }))
  }
}

/** Links within the page change the view; all others, and whatever opens a new tab, are the browser's. */
export function followLinks(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return
  const link = (event.target as Element | null)?.closest('a')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (/^\/(api|docs|metrics|health)/.test(link.pathname)) return
  event.preventDefault()
  if (link.hash !== '' && link.pathname === location.pathname) return
  go(link.href)
}

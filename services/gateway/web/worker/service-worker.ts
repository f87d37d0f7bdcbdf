/**
 * Opens the page where the gateway cannot be reached. It keeps the page's own files and nothing else: no answer of the
 * API passes through it, so that it can neither keep a credential nor show an old standing as a new one. What the page
 * last knew of auctions the page keeps by itself, and dates it.
 */
const scope = self as unknown as ServiceWorkerGlobalScope
/** Filled in by the build: what belongs to this version of the page. */
declare const __SHELL__: { readonly id: string; readonly files: readonly string[] }

const DOCUMENT = '/'
const PREFIX = 'vendue-page-'
const CACHE = PREFIX + __SHELL__.id
/** A tab of the version before may still ask for a part of it. */
const VERSIONS_KEPT = 2
/** A gateway that takes longer does not keep anybody from what is here. */
const PATIENCE_MS = 5_000
const VIEWS = /^\/(lot\/[\w-]{1,96}\/?|sell\/?|mine\/?|account\/?|mesh\/?)?$/

scope.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE)
      await cache.addAll([DOCUMENT, ...__SHELL__.files].map((url) => new Request(url, { cache: 'no-cache' })))
      await scope.skipWaiting()
    })(),
  )
})

scope.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const versions = (await caches.keys()).filter((name) => name.startsWith(PREFIX))
      const old = versions.filter((name) => name !== CACHE).slice(0, -(VERSIONS_KEPT - 1))
      await Promise.all(old.map((name) => caches.delete(name)))
      await scope.clients.claim()
    })(),
  )
})

scope.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== scope.location.origin) return
  if (request.mode === 'navigate') {
    if (VIEWS.test(url.pathname)) event.respondWith(page(request))
  } else if (url.pathname.startsWith('/assets/') || __SHELL__.files.includes(url.pathname))
    event.respondWith(part(request))
})

scope.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const url = new URL(String(event.notification.data ?? DOCUMENT), scope.location.origin)
  event.waitUntil(show(url))
})

/** The newest from the gateway; the one that is here where there is no answer. */
async function page(request: Request): Promise<Response> {
  const kept = async () => (await caches.open(CACHE)).match(DOCUMENT)
  try {
    const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS))
    const asked = fetch(request)
    const answer = await Promise.race([asked, late])
    if (answer !== null && answer.status < 500) return answer
    return (await kept()) ?? answer ?? asked
  } catch (error) {
    const shell = await kept()
    if (shell) return shell
    throw error
  }
}

/** Names of parts hold a hash of their content: one that is here is the right one, of whichever version. */
async function part(request: Request): Promise<Response> {
  return (await caches.match(request)) ?? fetch(request)
}

async function show(url: URL): Promise<void> {
  const windows = await scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const near = windows.find((client) => client.url === url.href) ?? windows[0]
  if (!near) {
    await scope.clients.openWindow(url.href)
    return
  }
  await near.focus()
  // The page goes there without a reload, so that nothing that is typed or on its way is lost without being asked.
  if (near.url !== url.href) near.postMessage({ type: 'go', to: url.pathname })
}

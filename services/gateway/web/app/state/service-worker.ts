import { go } from './router.js'

/**
 * Opens the page without a gateway from now on. Where the browser has no service workers, or forbids them, nothing is
 * lost but that.
 */
export function startServiceWorker(): void {
  const { serviceWorker } = navigator
  if (!serviceWorker) return
  serviceWorker.register('/sw.js').catch(() => undefined)
  serviceWorker.addEventListener('message', ({ data }: MessageEvent<{ type?: string; to?: string }>) => {
    if (data?.type === 'go' && typeof data.to === 'string') go(data.to)
  })
}

import { effect } from '@preact/signals'
import { visitor } from './session.js'

const NAME = 'vendue-notices'

/**
 * Of all tabs of one visitor one is the lead: it makes the sounds and asks the browser to show notices, so that nobody
 * hears of one thing twice. It is the tab that was looked at last; when it is closed another one takes its place.
 */
let isLead = false
/** Gives the lead up. */
let release: () => void = () => {}
let waiting: AbortController | null = null

export function isLeadTab(): boolean {
  return isLead || !navigator.locks
}

export function startLeadTab(): void {
  if (!navigator.locks) return
  effect(() => {
    const name = `${NAME} ${visitor.value?.id ?? ''}`
    release()
    take(name, isLookedAt())
  })
  const look = () => {
    if (isLookedAt() && !isLead) take(`${NAME} ${visitor.peek()?.id ?? ''}`, true)
  }
  addEventListener('focus', look)
  document.addEventListener('visibilitychange', look)
}

function isLookedAt(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

function take(name: string, steal: boolean): void {
  waiting?.abort()
  const own = new AbortController()
  waiting = own
  const lead = () =>
    new Promise<void>((resolve) => {
      isLead = true
      release = () => {
        isLead = false
        resolve()
      }
    })
  navigator.locks.request(name, steal ? { steal } : { signal: own.signal }, lead).catch(() => {
    if (own.signal.aborted && !steal) return
    // Another tab was looked at: this one waits for its turn.
    isLead = false
    if (waiting === own) take(name, false)
  })
}

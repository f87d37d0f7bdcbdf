import { effect } from '@preact/signals'
import { visitor } from './session.js'

const NAME = 'vendue-notices'
/** For so long a tab remembers what the lead has not done: the lead may close before it hears of it. */
const REMEMBERED_MS = 30_000
const MAX_DONE = 1_000

/** This tab's place in the queue for the lead. */
interface Claim {
  giveUp(): void
}

/**
 * Of all tabs of one visitor one is the lead: it makes the sounds and asks the browser to show notices, so that nobody
 * hears of one thing twice. It is the tab that was looked at last; when it is closed another one takes its place.
 */
let isLead = !navigator.locks
let claim: Claim | null = null
/** What the lead has not said yet that it has done. */
const waiting = new Map<string, { readonly act: () => void; readonly sinceMs: number }>()
/** What some lead has done. */
const done = new Set<string>()
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel(NAME) : null

/** Acts in the lead tab, once for each key however many tabs hear of it; if that tab closes before, in the next one. */
export function onceInLeadTab(key: string, act: () => void): void {
  const own = `${lockName()} ${key}`
  if (done.has(own)) return
  waiting.set(own, { act, sinceMs: performance.now() })
  if (isLead) actOnWaiting()
  else dropOld()
}

export function startLeadTab(): void {
  channel?.addEventListener('message', ({ data }) => noteDone(String(data)))
  if (!navigator.locks) return
  effect(() => {
    visitor.value
    waiting.clear()
    takeLead(isLookedAt())
  })
  const look = () => {
    if (isLookedAt() && !isLead) takeLead(true)
  }
  addEventListener('focus', look)
  document.addEventListener('visibilitychange', look)
}

function becomeLead(): void {
  isLead = true
  actOnWaiting()
}

function actOnWaiting(): void {
  dropOld()
  for (const [key, { act }] of [...waiting]) {
    noteDone(key)
    channel?.postMessage(key)
    act()
  }
}

function noteDone(key: string): void {
  waiting.delete(key)
  done.add(key)
  if (done.size > MAX_DONE) done.delete(done.values().next().value as string)
}

function dropOld(): void {
  const nowMs = performance.now()
  for (const [key, { sinceMs }] of waiting) if (nowMs - sinceMs > REMEMBERED_MS) waiting.delete(key)
}

function isLookedAt(): boolean {
  return document.visibilityState === 'visible' && document.hasFocus()
}

function lockName(): string {
  return `${NAME} ${visitor.peek()?.id ?? ''}`
}

/** Takes the lead from whichever tab has it, or waits until that one gives it up. */
function takeLead(atOnce: boolean): void {
  claim?.giveUp()
  isLead = false
  const giving = new AbortController()
  const own: Claim = { giveUp: () => giving.abort() }
  claim = own
  const lead = () =>
    new Promise<void>((resolve) => {
      // It may be given up before it is granted.
      if (claim !== own) return resolve()
      giving.signal.addEventListener('abort', () => resolve())
      becomeLead()
    })
  navigator.locks
    .request(lockName(), atOnce ? { steal: true } : { signal: giving.signal }, lead)
    .catch((error: Error) => {
      if (claim !== own) return
      // Another tab was looked at: this one waits for its turn.
      if (error.name === 'AbortError') takeLead(false)
      // The browser gives no locks to a page that may store nothing: each tab is on its own.
      else becomeLead()
    })
}

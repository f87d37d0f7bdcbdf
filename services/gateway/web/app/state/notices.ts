import { computed, effect, signal } from '@preact/signals'
import { type Cue, cueOf, endingNotice, type Notice, noticeOf } from '../../model/notices.js'
import { announceAtOnce } from './announce.js'
import { settled } from './bidding.js'
import { lots, onLotChange, watched } from './catalogue.js'
import { now, readClock } from './clock.js'
import { kept } from './kept.js'
import { t, writing } from './language.js'
import { onceInLeadTab, startLeadTab } from './lead-tab.js'
import { place } from './router.js'
import { visitor } from './session.js'
import { hasSounds, play, startSounds } from './sounds.js'

const MAX_SHOWN = 3
const MAX_REMEMBERED = 1_000
const LOOK_MS = 5_000

/** Newest first; each stays until somebody has done with it. */
export const notices = signal<readonly Notice[]>([])
/** What the visitor has said of notices by the browser; null: they have not been asked. */
export const wish = signal(wishOf(kept.get('notices')))
/** What the browser lets the page do. */
export const permission = signal<NotificationPermission | 'missing'>(
  'Notification' in globalThis ? Notification.permission : 'missing',
)
/** Asked after the first bid that was accepted, and never before: until then nobody knows what for. */
export const isAsking = computed(
  () =>
    wish.value === null &&
    permission.value === 'default' &&
    [...settled.value.values()].some((all) => all.some(({ result }) => result.kind === 'accepted')),
)
const heard = new Set<string>()

export function startNotices(): void {
  startLeadTab()
  startSounds()
  onLotChange((before, after) => {
    const cue = cueOf(before, after, isOpenHere(after.id) || watched.peek().has(after.id))
    const notice = noticeOf(before, after)
    const extension = `${after.id} extended ${after.extension?.seq}`
    if (cue === 'extended' && isNew(extension)) onceInLeadTab(extension, () => sound('extended'))
    if (notice && isNew(notice.key)) announce(notice)
  })
  setInterval(() => {
    const nowMs = readClock()
    for (const [id, lot] of lots) {
      const notice = endingNotice(lot.peek(), nowMs, watched.peek().has(id))
      if (notice && isNew(notice.key)) announce(notice)
    }
  }, LOOK_MS)
  // Whoever looks at an auction has seen what there is to say of it; and nobody sees what concerned somebody else.
  effect(() => {
    const where = place.value
    if (where.view === 'lot') drop((notice) => notice.lotId === where.id)
  })
  let who = visitor.peek()?.id
  effect(() => {
    const id = visitor.value?.id
    if (id !== who) drop(() => true)
    who = id
  })
}

export async function wantNotices(wanted: boolean): Promise<void> {
  if (wanted && permission.peek() === 'default') permission.value = await Notification.requestPermission()
  wish.value = wanted && permission.peek() === 'granted' ? 'on' : 'off'
  kept.set('notices', wish.value)
}

export function dismiss(key: string): void {
  drop((notice) => notice.key === key)
}

export function noticeText({ kind, price, currency, closesAtMs }: Notice): string {
  const money = writing.value.money(price, currency)
  if (kind !== 'ending') return t(`notice.${kind}`, { price: money })
  return t('notice.ending', { price: money, time: writing.value.clock(closesAtMs ?? now.peek()) })
}

function announce(notice: Notice): void {
  // An auction's own page says of itself what there is to say.
  if (!isOpenHere(notice.lotId)) {
    announceAtOnce(notice.key, notice.seq, `${notice.title}: ${noticeText(notice)}`)
    const others = notices.peek().filter(({ lotId }) => lotId !== notice.lotId)
    notices.value = [notice, ...others].slice(0, MAX_SHOWN)
  }
  onceInLeadTab(notice.key, () => {
    if (notice.kind !== 'ending') sound(notice.kind)
    const isLookedAt = document.visibilityState === 'visible' && document.hasFocus()
    if (!isLookedAt) void show(notice)
  })
}

/** By the browser, over whatever else the visitor looks at. */
async function show(notice: Notice): Promise<void> {
  if (wish.peek() !== 'on' || permission.peek() !== 'granted') return
  const to = `/lot/${notice.lotId}`
  const options = { body: noticeText(notice), tag: notice.key, icon: '/icon-192.png', data: to }
  const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined)
  if (worker?.active) return worker.showNotification(notice.title, options)
  const shown = new Notification(notice.title, options)
  shown.onclick = () => {
    focus()
    location.assign(to)
  }
}

function sound(cue: Cue): void {
  if (hasSounds.peek()) play(cue)
}

function isOpenHere(id: string): boolean {
  const where = place.peek()
  return where.view === 'lot' && where.id === id
}

function isNew(key: string): boolean {
  if (heard.has(key)) return false
  heard.add(key)
  if (heard.size > MAX_REMEMBERED) heard.delete(heard.values().next().value as string)
  return true
}

function drop(isDone: (notice: Notice) => boolean): void {
  if (notices.peek().some(isDone)) notices.value = notices.peek().filter((notice) => !isDone(notice))
}

function wishOf(text: string | null): 'on' | 'off' | null {
  return text === 'on' || text === 'off' ? text : null
}

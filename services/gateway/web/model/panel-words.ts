import type { TextKey } from '../texts/en.js'
import type { MessageArgs } from './message-format.js'
import type { Barrier, Panel } from './panel.js'

/** How a state looks, beside its words: never by colour alone. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm'

export interface Words {
  readonly headline: string
  /** More, in smaller type. */
  readonly detail: string | null
  readonly tone: Tone
}

/** The reader's language and writing. */
export interface Speech {
  t(key: TextKey, args?: MessageArgs): string
  money(amount: string): string
  /** A time of day, with the seconds. */
  clock(ms: number): string
  /** A day and a time, with the zone. */
  when(ms: number): string
}

/** What the panel says. `open`: names are taken on trust, so that nobody logs in. */
export function panelWords(panel: Panel, speech: Speech, open = false): Words {
  const { t, money } = speech
  const words = (headline: string, tone: Tone, detail: string | null = null): Words => ({
    headline,
    detail,
    tone,
  })
  switch (panel.kind) {
    case 'over':
      return overWords(panel, speech)
    case 'disputed':
      return words(t('panel.disputed'), 'bad')
    case 'closing':
      return words(t('panel.closing'), 'calm')
    case 'home-away':
      return words(t('panel.home-away'), 'warn')
    case 'disconnected':
      return words(
        t('panel.disconnected', { time: speech.clock(panel.asOfMs) }),
        'warn',
        panel.pending !== null
          ? t('panel.unknown', { amount: money(panel.pending) })
          : panel.canBid
            ? t('panel.disconnected.http')
            : null,
      )
    case 'unknown':
      return words(t('panel.unknown', { amount: money(panel.amount) }), 'warn')
    case 'moving':
      if (panel.pending === null) return words(t('panel.moving'), 'warn')
      return panel.pending.kind === 'sending'
        ? words(t('panel.moving.bid', { amount: money(panel.pending.amount) }), 'warn')
        : words(t('panel.moving'), 'warn', t('panel.unknown', { amount: money(panel.pending.amount) }))
    case 'not-eligible':
      return words(barrierWords(panel.why, panel.opensAtMs, speech, open), 'calm')
    case 'sending':
      return words(t(panel.slow ? 'panel.sending.slow' : 'panel.sending', { amount: money(panel.amount) }), 'calm')
    case 'leading':
      return panel.reserveMet
        ? words(t('panel.leading', { price: money(panel.price) }), 'good')
        : words(t('panel.leading.reserve'), 'warn')
    case 'outbid':
      return words(
        panel.tie ? t('panel.outbid.tie') : t('panel.outbid', { price: money(panel.price) }),
        'bad',
        t('panel.open', { price: money(panel.next) }),
      )
    case 'open':
      return words(t('panel.open', { price: money(panel.next) }), 'calm')
    default: {
      const unknown: never = panel
      throw new Error(`unknown state ${JSON.stringify(unknown)}`)
    }
  }
}

function overWords({ ending, outcome, disputed }: Extract<Panel, { kind: 'over' }>, { t, money }: Speech): Words {
  const detail = disputed ? t('panel.disputed') : null
  if (ending.kind === 'cancelled') {
    const by = ending.by === 'home' ? 'panel.given-up' : 'panel.cancelled'
    const headline = ending.reason === '' ? t(`${by}.bare`) : t(by, { reason: ending.reason })
    return { headline, detail, tone: 'calm' }
  }
  if (ending.kind === 'not-sold') {
    const headline = t(ending.reason === 'no-bids' ? 'panel.not-sold.no-bids' : 'panel.not-sold.reserve')
    return { headline, detail, tone: 'calm' }
  }
  const price = money(ending.price)
  const key = outcome === 'won' ? 'panel.won' : outcome === 'lost' ? 'panel.lost' : 'panel.sold'
  return { headline: t(key, { price }), detail, tone: disputed ? 'bad' : outcome === 'won' ? 'good' : 'calm' }
}

function barrierWords(why: Barrier, opensAtMs: number | null, { t, when }: Speech, open: boolean): string {
  switch (why) {
    case 'log-in':
      return t(open ? 'panel.name' : 'panel.log-in')
    case 'may-not-bid':
      return t('panel.may-not-bid')
    case 'own':
      return t('panel.own')
    case 'not-open-yet':
      return t('panel.not-open-yet', { time: opensAtMs === null ? '' : when(opensAtMs) })
    default: {
      const unknown: never = why
      throw new Error(`unknown reason ${String(unknown)}`)
    }
  }
}

/** The tab's title: how long, how much, and how one stands: "1:05 · 78.50 EUR · You lead". */
export function tabTitle(left: string | null, price: string | null, standing: string | null, title: string): string {
  const facts = [left, price, standing].filter((part) => part !== null && part !== '')
  return `${facts.join(' · ')}${facts.length > 0 ? ' · ' : ''}${title}`
}

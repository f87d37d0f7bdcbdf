import { type Signal, useComputed } from '@preact/signals'
import { countdown } from '../../model/countdown.js'
import type { Lot, Standing as LotStanding } from '../../model/lot.js'
import { second } from '../state/clock.js'
import { t, writing } from '../state/language.js'
import { Icon, type IconName } from './icons.js'

export function countdownText(endsAtMs: number | null, nowMs: number): string {
  const left = countdown(endsAtMs, nowMs)
  switch (left.kind) {
    case 'none':
      return t('time.none')
    case 'closing':
      return t('time.closing')
    case 'seconds':
      return t('time.seconds', { seconds: left.seconds })
    case 'minutes':
      return t('time.minutes', { minutes: left.minutes, seconds: writing.value.twoDigits(left.seconds) })
    case 'hours':
      return t('time.hours', { hours: left.hours, minutes: left.minutes })
    case 'days':
      return t('time.days', { days: left.days, hours: left.hours }).trim()
    default: {
      const unknown: never = left
      throw new Error(`unknown countdown ${JSON.stringify(unknown)}`)
    }
  }
}

/** How long, as a text node of its own: the tile around it is not drawn again each second. */
export function TileClock({ lot }: { lot: Signal<Lot> }) {
  const text = useComputed(() => {
    const { status, ending, opensAtMs, closesAtMs, endedAtMs } = lot.value
    if (status === 'cancelled') return t('lot.cancelled')
    if (ending) return endedAtMs === null ? t('lot.closed') : t('lot.ended', { time: writing.value.short(endedAtMs) })
    if (status === 'scheduled' && opensAtMs !== null) return t('lot.opens', { time: writing.value.short(opensAtMs) })
    return closesAtMs === null ? t('lot.no-end') : countdownText(closesAtMs, second.value)
  })
  const isUrgent = useComputed(() => {
    const { status, closesAtMs } = lot.value
    return status === 'open' && closesAtMs !== null && closesAtMs - second.value < 60_000
  })
  return <span class={isUrgent.value ? 'urgent' : ''}>{text}</span>
}

const LOOKS: Readonly<Record<NonNullable<LotStanding>, readonly [tone: string, icon: IconName]>> = {
  seller: ['', 'tag'],
  leading: ['good', 'check'],
  outbid: ['bad', 'up'],
  won: ['good', 'check'],
  lost: ['', 'none'],
}

/** One's own standing: word, icon and colour together. */
export function Standing({ you }: { you: LotStanding }) {
  if (you === null) return null
  const [tone, icon] = LOOKS[you]
  return (
    <span class={`standing ${tone}`}>
      <Icon name={icon} />
      {t(`lot.you.${you}`)}
    </span>
  )
}

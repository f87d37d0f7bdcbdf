import type { ComponentChildren } from 'preact'

const PATHS = {
  check: 'M5 12.5l4.5 4.5L19 7.5',
  up: 'M12 19V5M6 11l6-6 6 6',
  down: 'M12 5v14M6 13l6 6 6-6',
  clock: 'M12 7v5l3 2M12 3a9 9 0 100 18 9 9 0 000-18',
  warn: 'M12 9v4M12 17h.01M10.3 4.2L2.8 17.5A2 2 0 004.5 20.5h15a2 2 0 001.7-3L13.7 4.2a2 2 0 00-3.4 0z',
  lock: 'M7 11V8a5 5 0 0110 0v3M5.5 11h13v9h-13z',
  tag: 'M4 4h8l8 8-8 8-8-8zM8.5 8.5h.01',
  eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5',
  search: 'M11 4a7 7 0 100 14 7 7 0 000-14zM16.5 16.5L21 21',
  right: 'M9 6l6 6-6 6',
  left: 'M15 6l-6 6 6 6',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  away: 'M3 3l18 18M8.5 16.4a5 5 0 017 0M5 12.8a10 10 0 015.2-2.7M12 20h.01M2 8.8a15 15 0 014.2-2.7M10.7 5A15 15 0 0122 8.8',
  user: 'M12 4a4 4 0 100 8 4 4 0 000-8zM4.5 20.5c1-4 4-5.5 7.5-5.5s6.5 1.500 7.500 5.500',
  close: 'M6 6l12 12M18 6L6 18',
  none: 'M5 5l14 14M12 3a9 9 0 100 18 9 9 0 000-18',
} as const
export type IconName = keyof typeof PATHS

/** Beside words, never instead of them: screen readers pass it over. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class={name === 'left' || name === 'right' ? 'icon along' : 'icon'} viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  )
}

export function Mark() {
  return (
    <svg viewBox="0 0 64 64" aria-hidden="true">
      <rect class="plate" width="64" height="64" rx="16" />
      <path class="stroke" d="M16 19l13 27h6l13-27h-7.4L32 38.4 23.4 19z" />
    </svg>
  )
}

export function Note({
  tone = 'calm',
  icon,
  children,
  role,
}: {
  tone?: 'good' | 'warn' | 'bad' | 'calm'
  icon: IconName
  children: ComponentChildren
  role?: 'status' | 'alert'
}) {
  return (
    <div class={`note ${tone}`} role={role}>
      <Icon name={icon} />
      <div>{children}</div>
    </div>
  )
}

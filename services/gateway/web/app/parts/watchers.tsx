import type { Presence } from 'vendue/client'
import { t } from '../state/language.js'
import { Icon } from './icons.js'

/** How many look at the auction through this gateway, and who, as far as their names may be shown. */
export function Watchers({ presence }: { presence: Presence | null }) {
  if (presence === null || presence.watchers === 0) return null
  const { watchers, names } = presence
  const count = (
    <>
      <Icon name="user" />
      {t('lot.watchers', { count: watchers })}
    </>
  )
  if (names.length === 0)
    return (
      <span class="watchers" data-watchers={watchers}>
        {count}
      </span>
    )
  return (
    <details class="watchers" data-watchers={watchers}>
      <summary>{count}</summary>
      <ul class="card">
        {names.map((name) => (
          <li key={name} dir="auto">
            {name}
          </li>
        ))}
        {watchers > names.length && <li class="soft">{t('lot.watchers.more', { count: watchers - names.length })}</li>}
      </ul>
    </details>
  )
}

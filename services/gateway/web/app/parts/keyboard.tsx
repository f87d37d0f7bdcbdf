import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { kept } from '../state/kept.js'
import { t } from '../state/language.js'

export const isHelpOpen = signal(false)
/** Single keys can be turned off: speech input types them by mistake. */
export const hasKeys = signal(kept.get('keys') !== 'off')

export function turnKeys(on: boolean): void {
  hasKeys.value = on
  kept.set('keys', on ? null : 'off')
}

/** Calls what a single key stands for: never while somebody writes, or with a modifier. */
export function useKeys(actions: Readonly<Record<string, () => void>>): void {
  const current = useRef(actions)
  current.current = actions
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!hasKeys.value || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return
      const at = event.target as Element
      if (at.closest('input, textarea, select, [contenteditable], dialog')) return
      if (event.key === 'Enter' && at.closest('a, button, summary')) return
      const action = current.current[event.key.toLowerCase()]
      if (!action) return
      event.preventDefault()
      action()
    }
    addEventListener('keydown', onKey)
    return () => removeEventListener('keydown', onKey)
  }, [])
}

const KEYS = [
  ['B', 'keys.b'],
  ['Enter', 'keys.enter'],
  ['Esc', 'keys.esc'],
  ['+', 'keys.plus'],
  ['-', 'keys.minus'],
  ['J', 'keys.j'],
  ['K', 'keys.k'],
  ['W', 'keys.w'],
  ['?', 'keys.help'],
] as const

export function KeyboardHelp() {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    if (isHelpOpen.value) dialog.current?.showModal()
  }, [isHelpOpen.value])
  if (!isHelpOpen.value) return null
  const close = () => {
    isHelpOpen.value = false
  }
  return (
    <dialog ref={dialog} class="sheet stack" aria-labelledby="keys-title" onClose={close}>
      <h2 id="keys-title">{t('keys.title')}</h2>
      <dl class="keys">
        {KEYS.map(([key, text]) => (
          <>
            <dt key={key}>
              <kbd>{key}</kbd>
            </dt>
            <dd>{t(text)}</dd>
          </>
        ))}
      </dl>
      <label class="check">
        <input type="checkbox" checked={hasKeys.value} onChange={(event) => turnKeys(event.currentTarget.checked)} />
        {t('keys.on')}
      </label>
      <button type="button" class="button wide" onClick={() => dialog.current?.close()}>
        {t('keys.close')}
      </button>
    </dialog>
  )
}

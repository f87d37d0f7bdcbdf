import { effect, signal } from '@preact/signals'
import { kept } from './kept.js'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

export const theme = signal<Theme>(THEMES.find((name) => name === kept.get('theme')) ?? 'system')

/** What is drawn by hand has to be drawn anew with it. */
export const isDark = signal(false)

/** Puts the theme on the document, and follows the system where nothing was chosen. */
export function followTheme(): void {
  const dark = matchMedia('(prefers-color-scheme: dark)')
  const apply = () => {
    isDark.value = theme.value === 'dark' || (theme.value === 'system' && dark.matches)
    document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light'
  }
  effect(apply)
  dark.addEventListener('change', apply)
}

export function chooseTheme(chosen: Theme): void {
  theme.value = chosen
  kept.set('theme', chosen === 'system' ? null : chosen)
}

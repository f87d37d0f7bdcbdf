import { computed, signal } from '@preact/signals'
import { formatMessage, type MessageArgs } from '../../model/message-format.js'
import { writingOf } from '../../model/writing.js'
import { en, type TextKey, type Texts } from '../../texts/en.js'
import { kept } from './kept.js'

export const LANGUAGES = {
  en: { name: 'English', dir: 'ltr', load: () => Promise.resolve<Texts>(en) },
  de: { name: 'Deutsch', dir: 'ltr', load: async () => (await import('../../texts/de.js')).de },
  ar: { name: 'العربية', dir: 'rtl', load: async () => (await import('../../texts/ar.js')).ar },
} as const satisfies Record<
  string,
  { readonly name: string; readonly dir: 'ltr' | 'rtl'; readonly load: () => Promise<Texts> }
>
export type Language = keyof typeof LANGUAGES

export const language = signal<Language>('en')
const texts = signal<Texts>(en)

/** How the reader writes numbers and times: their own region's way, where it speaks the page's language. */
export const locale = computed(() => {
  const wanted = language.value
  return navigator.languages.find((tag) => tag.split('-')[0] === wanted) ?? wanted
})
export const writing = computed(() => writingOf(locale.value))

export function t(key: TextKey, args: MessageArgs = {}): string {
  return formatMessage(texts.value[key], args, locale.value)
}

export async function speak(wanted: Language): Promise<void> {
  const { dir, load } = LANGUAGES[wanted]
  texts.value = await load()
  language.value = wanted
  kept.set('language', wanted)
  document.documentElement.lang = wanted
  document.documentElement.dir = dir
}

/** What was chosen, or what the browser asks for. */
export function preferredLanguage(): Language {
  const known = (tag: string): tag is Language => Object.hasOwn(LANGUAGES, tag)
  const chosen = kept.get('language')
  if (chosen && known(chosen)) return chosen
  for (const tag of navigator.languages) {
    const base = tag.split('-')[0] as string
    if (known(base)) return base
  }
  return 'en'
}

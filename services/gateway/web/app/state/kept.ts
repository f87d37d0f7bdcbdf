import { signal } from '@preact/signals'

/** Why the browser does not keep what the page asks it to: it forbids it, or has no room left. Null: it keeps it. */
export const keeping = signal<'blocked' | 'full' | null>(null)

/**
 * What the page remembers of a visitor's wishes, in the browser. Never a secret. Where nothing is kept, this page
 * remembers it while it is open.
 */
export const kept = storeOf(() => localStorage)
/** Of this tab alone; survives a reload. */
export const keptHere = storeOf(() => sessionStorage)

/** `store` throws where the browser blocks storage, cookies of third parties included. */
function storeOf(store: () => Storage) {
  /** What the browser did not take. */
  const here = new Map<string, string | null>()
  return {
    get(name: string): string | null {
      const held = here.get(name)
      if (held !== undefined) return held
      try {
        return store().getItem(`vendue.${name}`)
      } catch {
        keeping.value = 'blocked'
        return null
      }
    },
    set(name: string, value: string | null): void {
      try {
        if (value === null) store().removeItem(`vendue.${name}`)
        else store().setItem(`vendue.${name}`, value)
        here.delete(name)
      } catch (error) {
        here.set(name, value)
        keeping.value = isFull(error) ? 'full' : 'blocked'
      }
    },
  }
}

function isFull(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'QuotaExceededError'
}

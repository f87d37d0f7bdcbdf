/** What the page remembers of a visitor's wishes. Never a secret; where storage is blocked, nothing is remembered. */
export const kept = {
  get(name: string): string | null {
    try {
      return localStorage.getItem(`vendue.${name}`)
    } catch {
      return null
    }
  },
  set(name: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(`vendue.${name}`)
      else localStorage.setItem(`vendue.${name}`, value)
    } catch {
      // The page works without.
    }
  },
}

/** Of this tab alone; survives a reload. */
export const keptHere = {
  get(name: string): string | null {
    try {
      return sessionStorage.getItem(`vendue.${name}`)
    } catch {
      return null
    }
  },
  set(name: string, value: string | null): void {
    try {
      if (value === null) sessionStorage.removeItem(`vendue.${name}`)
      else sessionStorage.setItem(`vendue.${name}`, value)
    } catch {
      // The page works without.
    }
  },
}

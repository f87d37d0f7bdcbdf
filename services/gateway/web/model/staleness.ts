/** What a reload would cost. */
export interface Unfinished {
  /** Something has been written that is not sent. */
  readonly isTyping: boolean
  readonly isSheetOpen: boolean
  /** Offers on their way. */
  readonly pending: number
  /**
   * The page has been loaded anew for this version already, and is still another one: doing it again would go on for
   * ever.
   */
  readonly hasReloaded: boolean
}

/** Whether the page that the gateway serves now is another one than the one that is shown. */
export function isStale(own: string | null, served: string | null | undefined): boolean {
  return own !== null && own !== '' && served !== null && served !== undefined && served !== own
}

/** Whether a stale page may load itself anew without anybody losing anything. */
export function mayReload({ isTyping, isSheetOpen, pending, hasReloaded }: Unfinished): boolean {
  return !isTyping && !isSheetOpen && pending === 0 && !hasReloaded
}

/** What the worker that checks logs says. */
export type VerifyAnswer =
  | { readonly kind: 'progress'; readonly events: number }
  | {
      readonly kind: 'valid'
      readonly decision: 'rerun' | 'partly' | 'not-yet' | 'none'
      readonly commits: number
      readonly events: number
      readonly signatures: number
      readonly mandates: number
      readonly head: string
      readonly currency: string
      /** Who wrote it, one after the other. */
      readonly homes: readonly CheckedHome[]
      /** The newest first. */
      readonly bids: readonly CheckedBid[]
    }
  | {
      readonly kind: 'invalid'
      readonly code: string
      readonly rule: string
      readonly line: number | null
      readonly seq: number | null
    }
  /** The log could not be read. */
  | { readonly kind: 'failed'; readonly reason: string }

export interface CheckedHome {
  readonly nodeId: string
  readonly sinceMs: number
  readonly why: 'opened' | 'handed-over' | 'home-dead' | 'home-left'
  /** The end that this led to; null if it stayed. */
  readonly endMs: number | null
}

export interface CheckedBid {
  readonly seq: number
  readonly bidder: string
  readonly price: string
  readonly because:
    | 'first'
    | 'plain-leads'
    | 'outbids-leader'
    | 'answered-by-leader'
    | 'tie-earlier-leads'
    | 'own-maximum-moved'
    | 'bought-now'
    | 'unknown'
}

import { effect, signal } from '@preact/signals'
import { settled } from './bidding.js'
import { kept } from './kept.js'
import { visitor } from './session.js'

const MAX_KEPT = 500

/**
 * The visitor's maxima, by auction: those set on this device, and with an account those that the gateway knows. Homes
 * keep them secret from everybody else.
 */
export const maxima = signal<ReadonlyMap<string, string>>(new Map())

let who: string | null = null

/** It takes the place of what was known of the auction. */
export function noteMaximum(auctionId: string, amount: string): void {
  const others = [...maxima.peek()].filter(([id]) => id !== auctionId)
  const next = [...others, [auctionId, amount] as const].slice(-MAX_KEPT)
  maxima.value = new Map(next)
  if (who !== null) kept.set(`maxima.${who}`, JSON.stringify(next))
}

export function startMaxima(): void {
  effect(() => {
    const id = visitor.value?.id ?? null
    if (id === who) return
    // Nobody who comes after is shown them.
    if (who !== null && id === null) kept.set(`maxima.${who}`, null)
    who = id
    maxima.value = id === null ? new Map() : read(kept.get(`maxima.${id}`))
  })
  const counted = new Set<string>()
  effect(() => {
    for (const [auctionId, [last]] of settled.value) {
      if (last?.result.kind !== 'accepted' || last.offer.kind !== 'max' || counted.has(last.bidId)) continue
      counted.add(last.bidId)
      noteMaximum(auctionId, last.offer.amount)
    }
  })
}

function read(text: string | null): Map<string, string> {
  try {
    const entries: unknown = JSON.parse(text ?? '[]')
    if (!Array.isArray(entries)) return new Map()
    return new Map(entries.filter(([id, amount]) => typeof id === 'string' && /^\d+(\.\d+)?$/.test(amount)))
  } catch {
    return new Map()
  }
}

import { effect, signal } from '@preact/signals'
import { settled } from './bidding.js'
import { kept } from './kept.js'
import { visitor } from './session.js'

const MAX_KEPT = 500

/**
 * The maxima that the visitor has set on this device, by auction. Their home keeps them secret from everybody, this
 * gateway included: only who set them can say what they are.
 */
export const maxima = signal<ReadonlyMap<string, string>>(new Map())

export function startMaxima(): void {
  let who: string | null = null
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
      const next = [...new Map(maxima.peek()).set(auctionId, last.offer.amount)].slice(-MAX_KEPT)
      maxima.value = new Map(next)
      if (who !== null) kept.set(`maxima.${who}`, JSON.stringify(next))
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

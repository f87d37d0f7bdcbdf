import { batch } from '@preact/signals'

/** A hidden tab draws no frames; it takes what arrives in turns. */
const HIDDEN_MS = 250

/**
 * Hands on what arrives together, once a frame: two hundred bids a second are drawn as sixty pictures, not two hundred.
 */
export function perFrame<T>(apply: (item: T) => void): (item: T) => void {
  let waiting: T[] = []
  let timer: ReturnType<typeof setTimeout> | undefined
  let frame = 0
  const flush = () => {
    clearTimeout(timer)
    cancelAnimationFrame(frame)
    const items = waiting
    waiting = []
    batch(() => {
      for (const item of items) apply(item)
    })
  }
  return (item) => {
    waiting.push(item)
    if (waiting.length > 1) return
    frame = requestAnimationFrame(flush)
    timer = setTimeout(flush, HIDDEN_MS)
  }
}

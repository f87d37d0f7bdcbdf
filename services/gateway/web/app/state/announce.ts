import { signal } from '@preact/signals'
import { Announcer } from '../../model/announcer.js'

export const polite = signal('')
export const assertive = signal('')

const announcer = new Announcer((region, text) => {
  if (region === 'polite') polite.value = text
  else assertive.value = text
})
let timer: ReturnType<typeof setTimeout> | undefined

export function announcePolitely(text: string): void {
  wait(announcer.polite(text, performance.now()))
}

export function announceAtOnce(auctionId: string, seq: number, text: string): void {
  announcer.assertive(auctionId, { seq, text })
}

function wait(leftMs: number): void {
  clearTimeout(timer)
  if (leftMs > 0) timer = setTimeout(() => wait(announcer.due(performance.now())), leftMs)
}

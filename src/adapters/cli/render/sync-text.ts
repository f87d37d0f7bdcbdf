import type { SyncStatus } from '../../../ports/node/node-status.js'
import { showSpan } from './look.js'
import { progressText } from './progress-line.js'
import { oneLine } from './terminal-text.js'

/** "syncing, 40,000 of 1,000,000 events, 110,000/s, 9 s left". */
export function syncText(sync: SyncStatus): string {
  if (sync.state === 'alone') return 'alone: no live peer to sync with'
  if (sync.state === 'synced') return 'synced'
  if (sync.state === 'incomplete') return `incomplete: ${auctionsWord(sync.refusedAuctions.length)} cannot go on here`
  return ['syncing', ...amounts(sync)].join(', ')
}

function auctionsWord(count: number): string {
  return count === 1 ? '1 auction' : `${count} auctions`
}

const MAX_NAMED = 10

/** Which auctions nodes disagree about, and whose fault it is: name and words of each. */
export function disagreements({ refusedAuctions, doubtedAuctions }: SyncStatus): [string, string][] {
  const refused = refusedAuctions.map(({ auctionId, seq, reason, home, homeName }): [string, string] => {
    const who = oneLine(homeName === null ? home : `${homeName} (${home})`)
    return ['refused', `${auctionId} from event ${seq} on: ${oneLine(reason)}; signed by its home, ${who}`]
  })
  const doubted = doubtedAuctions.map(({ auctionId, seq, reason, peers }): [string, string] => {
    const who = oneLine(peers.slice(0, MAX_NAMED).join(', '))
    return ['doubted', `${auctionId} of this node, from event ${seq} on, by ${who}: ${oneLine(reason)}`]
  })
  const all = [...refused.slice(0, MAX_NAMED), ...doubted.slice(0, MAX_NAMED)]
  const more = refused.length + doubted.length - all.length
  return more === 0 ? all : [...all, ['', `and ${more} more; --json names them all`]]
}

/** The same with a bar. */
export function syncBar(sync: SyncStatus): string {
  return progressText(sync.done / Math.max(1, sync.total), ['syncing', ...amounts(sync)].join(', '), null)
}

/** A remark below what a syncing node shows; empty otherwise. */
export function syncMark(sync: SyncStatus): string[] {
  const lacks = sync.state === 'syncing' || sync.state === 'incomplete'
  return lacks ? [`${syncText(sync)}: what is shown may lack the latest`] : []
}

function amounts({ done, total, eventsPerSecond, msLeft }: SyncStatus): string[] {
  if (total === 0) return []
  const events = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} events`
  if (eventsPerSecond === 0 || msLeft === null) return [events]
  return [events, `${eventsPerSecond.toLocaleString('en')}/s`, `${showSpan(msLeft)} left`]
}

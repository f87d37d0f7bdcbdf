import type { SyncStatus } from '../../../ports/node/node-api.js'
import { showSpan } from './look.js'
import { progressText } from './progress-line.js'

/** "syncing, 40,000 of 1,000,000 events, 110,000/s, 9 s left". */
export function syncText(sync: SyncStatus): string {
  if (sync.state === 'alone') return 'alone: no live peer to sync with'
  if (sync.state === 'synced') return 'synced'
  return ['syncing', ...amounts(sync)].join(', ')
}

/** The same with a bar. */
export function syncBar(sync: SyncStatus): string {
  return progressText(sync.done / Math.max(1, sync.total), ['syncing', ...amounts(sync)].join(', '), null)
}

/** A remark below what a syncing node shows; empty otherwise. */
export function syncMark(sync: SyncStatus): string[] {
  return sync.state === 'syncing' ? [`${syncText(sync)}: what is shown may lack the latest`] : []
}

function amounts({ done, total, eventsPerSecond, msLeft }: SyncStatus): string[] {
  if (total === 0) return []
  const events = `${done.toLocaleString('en')} of ${total.toLocaleString('en')} events`
  if (eventsPerSecond === 0 || msLeft === null) return [events]
  return [events, `${eventsPerSecond.toLocaleString('en')}/s`, `${showSpan(msLeft)} left`]
}

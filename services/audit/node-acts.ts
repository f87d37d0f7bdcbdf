import { redact } from '../../src/adapters/system/redact.js'
import type { NodeSettings } from '../../src/adapters/system/settings.js'
import { shownSharedLog } from '../../src/adapters/system/shared-log-address.js'
import { parseLine } from '../../src/application/audit/audit-line.js'
import { nodeIdOf } from '../../src/application/log/ids.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import type { Act } from '../../src/ports/audit/audit.js'
import type { AuditStore } from '../../src/ports/audit/audit-store.js'

const BY_ITSELF = { via: 'node', from: null, code: 'ok' } as const
type Shown = Readonly<Record<string, unknown>>

/** What an auction's log says of the home, or of what was lost: rare, and what a dispute is about. */
const MOVES: { readonly [T in AuctionEvent['type']]?: string } = {
  AuctionHandedOver: 'auction.handed-over',
  AuctionTakenOver: 'auction.taken-over',
  AuctionGivenUp: 'auction.given-up',
  MaximaLost: 'auction.maxima-lost',
}

/** `signer`: whoever signed the commit of the events. */
export function movingActs(auction: string, signer: string, events: readonly AuctionEvent[]): Act[] {
  return events.flatMap(({ type }) => {
    const act = MOVES[type]
    return act === undefined ? [] : [{ ...BY_ITSELF, act, who: nodeIdOf(signer), auction }]
  })
}

export function shownNodeSettings({ sharedLog, log: _, ...settings }: NodeSettings): Shown {
  return { ...settings, ...(sharedLog && { sharedLog: shownSharedLog(sharedLog) }) }
}

/** That a process starts, with its settings, and what of them is another than at the start before. */
export function startActs(
  act: 'node.start' | 'gateway.start',
  settings: Shown,
  store: Pick<AuditStore, 'lastStart'>,
): Act[] {
  const { sharedLog, ...others } = settings
  const shown: Shown = { ...redact(others), ...(sharedLog !== undefined && { sharedLog }) }
  const before = settingsIn(parseLine(store.lastStart(act)?.text ?? '')?.about)
  const started: Act = { ...BY_ITSELF, act, who: null, about: JSON.stringify(shown) }
  if (before === null) return [started]
  const changed = [...new Set([...Object.keys(before), ...Object.keys(shown)])].filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(shown[name]),
  )
  const about = changed.map((name) => `${name}: ${JSON.stringify(before[name])} -> ${JSON.stringify(shown[name])}`)
  return changed.length === 0
    ? [started]
    : [started, { ...BY_ITSELF, act: 'settings.changed', who: null, about: about.join('; ') }]
}

function settingsIn(text: string | undefined): Shown | null {
  try {
    return JSON.parse(text ?? 'null') as Shown | null
  } catch {
    // Longer than a line holds.
    return null
  }
}

import type { HandoverPage, HandoverParcel, HandoverRepository } from '../../../src/ports/store/handover-repository.js'
import type { MemoryEventLog } from './memory-event-log.js'
import type { MemoryTables } from './memory-tables.js'

export class MemoryHandoverRepository implements HandoverRepository {
  readonly #tables: MemoryTables
  readonly #eventLog: Pick<MemoryEventLog, 'write'>

  constructor(deps: { tables: MemoryTables; eventLog: Pick<MemoryEventLog, 'write'> }) {
    this.#tables = deps.tables
    this.#eventLog = deps.eventLog
  }

  async page(auctionId: string, after: string | null, limit: number): Promise<HandoverPage> {
    return handoverPage(this.#tables, auctionId, after, limit)
  }

  keep(auctionId: string, parcel: HandoverParcel): Promise<void> {
    return this.#eventLog.write(() => keepParcel(this.#tables, auctionId, parcel))
  }
}

/** Outcomes by command id first, then sealed maxima by bid id. */
export function handoverPage(
  tables: MemoryTables,
  auctionId: string,
  after: string | null,
  limit: number,
): HandoverPage {
  const outcomes = [...tables.outcomes.values()]
    .filter(({ outcome }) => outcome.auctionId === auctionId)
    .map((outcome) => ({ key: `outcome ${outcome.outcome.commandId}`, outcome }))
  const sealed = [...(tables.auctions.get(auctionId)?.sealed.values() ?? [])].map((maximum) => ({
    key: `sealed ${maximum.bidId}`,
    maximum,
  }))
  const all = [...outcomes, ...sealed]
    .filter(({ key }) => after === null || key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1))
  const page = all.slice(0, limit)
  return {
    outcomes: page.flatMap((item) => ('outcome' in item ? [item.outcome] : [])),
    sealed: page.flatMap((item) => ('maximum' in item ? [item.maximum] : [])),
    next: all.length > limit ? (page.at(-1)?.key ?? null) : null,
  }
}

export function keepParcel(tables: MemoryTables, auctionId: string, parcel: HandoverParcel): void {
  const auction = tables.auctions.get(auctionId)
  if (auction === undefined) throw new Error(`${auctionId} is not stored here`)
  for (const recorded of parcel.outcomes) {
    const { commandId } = recorded.outcome
    const known = tables.outcomes.get(commandId)?.outcome.status
    const isAcceptance = recorded.outcome.status === 'accepted'
    if (known === undefined || (known === 'rejected' && isAcceptance)) tables.outcomes.set(commandId, recorded)
  }
  for (const maximum of parcel.sealed) auction.sealed.set(maximum.bidId, maximum)
  if (parcel.secrets !== null) auction.secrets = parcel.secrets
}

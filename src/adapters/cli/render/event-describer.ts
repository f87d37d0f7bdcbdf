import type { EventMessage } from '../../../application/gateway/public-events.js'
import type { AuctionView } from '../../../ports/node/node-answers.js'
import type { Session } from '../parse/command.js'
import { describeEvent, type EventText } from './describe-event.js'

const MAX_REMEMBERED = 10_000

/** Puts events into words for one user: remembers who led where, so that it can say who was outbid. */
export class EventDescriber {
  readonly #session: Pick<Session, 'ids' | 'out'>
  readonly #selfId: string
  readonly #leaders = new Map<string, string>()

  constructor(session: Pick<Session, 'ids' | 'out'>, selfId: string) {
    this.#session = session
    this.#selfId = selfId
  }

  /** Who leads in auctions that began before the first event. */
  remember(auctions: readonly Pick<AuctionView, 'auctionId' | 'state'>[]): void {
    for (const { auctionId, state } of auctions) if (state.leader) this.#setLeader(auctionId, state.leader.id)
  }

  /** Has to be called with the events in their order. */
  async describe(event: EventMessage): Promise<EventText> {
    const { auction_id: auctionId } = event
    const ledBy = this.#leaders.get(auctionId) ?? null
    if (event.type === 'bid_placed') this.#setLeader(auctionId, event.leader.id)
    if (event.type === 'auction_closed' || event.type === 'auction_cancelled') this.#leaders.delete(auctionId)
    const { ids, out } = this.#session
    return describeEvent(event, {
      look: out.look,
      shortId: await ids.of(auctionId),
      selfId: this.#selfId,
      ledBy,
    })
  }

  #setLeader(auctionId: string, partyId: string): void {
    if (this.#leaders.size >= MAX_REMEMBERED) this.#leaders.clear()
    this.#leaders.set(auctionId, partyId)
  }
}

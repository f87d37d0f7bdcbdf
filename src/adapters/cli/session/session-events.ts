import { AuctionFactsCache } from '../../../application/gateway/auction-facts.js'
import { EventMaker } from '../../../application/gateway/event-maker.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { Session } from '../parse/command.js'

/** Makes events from the feed of the session's node, also after another node has replaced it. */
export function eventMakerOf({ api: current, out }: Pick<Session, 'api' | 'out'>): EventMaker {
  const api: Pick<NodeApi, 'history' | 'show'> = {
    history: async (request) => (await current()).history(request),
    show: async (request) => (await current()).show(request),
  }
  return new EventMaker({
    api,
    facts: new AuctionFactsCache({ api }),
    unshown: ({ auctionId, seq }, error) =>
      out.note(out.look.paint.warn(`#${seq} of ${auctionId} cannot be shown: ${(error as Error).message}`)),
  })
}

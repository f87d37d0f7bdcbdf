import type { NewEnd } from '../../domain/commands.js'
import type { AmountInput } from '../../domain/money.js'
import type { Party } from '../../domain/party.js'
import type { Caller } from '../../ports/accounts/caller.js'
import type { Audit } from '../../ports/audit/audit.js'
import type { AuctionView, CommandResult, HistoryPage } from '../../ports/node/node-answers.js'
import type { NodeApi } from '../../ports/node/node-api.js'
import type { OpenRequest } from '../../ports/node/node-requests.js'
import type { InOrder } from '../turns/in-order.js'
import type { ListTerms } from './auction-requests.js'
import type { BidDesk, BidPath, BidRequest } from './bid-desk.js'
import type { Bidders } from './bidders.js'
import { ANONYMOUS, allowed, type Callers } from './callers.js'
import type { CommandIds } from './command-ids.js'
import type { Guard } from './guard.js'
import { callerIn, type Recorded, recorded } from './recorded.js'

/** Who calls, and how. */
export interface Call {
  /** Null: nobody said who they are. */
  readonly caller: Caller | null
  readonly address: string
  readonly via: BidPath
  /** For the log. */
  readonly requestId?: string | undefined
  /** The client's own key of the command. */
  readonly key?: string | undefined
  /** What the client calls the key. */
  readonly keyField?: string | undefined
  /** Of the connection: what came before over it is decided before. */
  readonly lane?: InOrder | undefined
}

export interface AuctionCallsDeps {
  readonly api: NodeApi
  readonly bidders: Bidders
  readonly callers: Callers
  readonly commandIds: CommandIds
  readonly desk: BidDesk
  readonly guard: Guard | null
  readonly audit: Audit
}

/**
 * What requests for one answer come to, over HTTP or gRPC: who may make them, under which id, in whose name. Rejects
 * with `CallerError`, `GatewayRefusal`, `NodeError` and what `Guard` throws.
 */
export class AuctionCalls {
  readonly #deps: AuctionCallsDeps

  constructor(deps: AuctionCallsDeps) {
    this.#deps = deps
  }

  /** Does what a call is for, and records it; for what goes to the node by another way than these methods. */
  recorded<T>(
    act: string,
    call: Recorded,
    asked: { readonly auction?: string; readonly about?: string },
    work: () => Promise<T>,
  ): Promise<T> {
    return recorded(this.#deps.audit, { act, call, ...asked }, work)
  }

  /** Records a request that came to none of these, because it was refused before. */
  refused(act: string, call: Recorded, code: string): void {
    this.#deps.audit.record({ act, ...callerIn(call), code })
  }

  open(call: Call, terms: Omit<OpenRequest, 'commandId'>): Promise<CommandResult> {
    const open = async () => {
      const seller = this.#seller(call)
      const commandId = this.#commandId(call, seller)
      return this.#deps.api.open({ ...terms, commandId, as: seller.party, ...requestIdOf(call) })
    }
    return this.recorded('auction.open', call, {}, open)
  }

  async list(call: Call, terms: ListTerms): Promise<{ auctions: AuctionView[]; next: string | null }> {
    const { status, q, seller, bidder, sort, cursor, limit } = terms
    const page = await this.#deps.api.list({
      as: viewer(call),
      ...(status && { statuses: status }),
      ...(q !== undefined && { text: q }),
      ...(seller !== undefined && { seller }),
      ...(bidder !== undefined && { bidder }),
      ...(sort !== undefined && { sort }),
      ...(cursor !== undefined && { cursor }),
      ...(limit !== undefined && { limit }),
    })
    return { auctions: await this.#deps.bidders.seen(page.auctions, call.caller), next: page.next }
  }

  show({ caller }: Call, auction: string): Promise<AuctionView> {
    return this.#deps.bidders.show(auction, caller)
  }

  bids(
    call: Call,
    auction: string,
    page: { readonly beforeSeq?: number | undefined; readonly limit?: number | undefined },
  ): Promise<HistoryPage> {
    const { beforeSeq, limit } = page
    return this.#deps.api.history({
      auction,
      as: viewer(call),
      ...(beforeSeq !== undefined && { beforeSeq }),
      ...(limit !== undefined && { limit }),
    })
  }

  bid(
    call: Call,
    {
      auction,
      kind,
      amount,
      brief,
    }: Pick<BidRequest, 'auction' | 'kind' | 'brief'> & { readonly amount?: AmountInput },
  ): Promise<CommandResult> {
    const { callers, desk, guard } = this.#deps
    const admit = () => {
      const caller = allowed(call.caller, 'bid', callers.mode)
      guard?.bid({ address: call.address, accountId: caller.party.id })
      return caller
    }
    const { key, keyField, requestId, lane, via, address } = call
    return desk.bid(via, admit, {
      from: address,
      auction,
      kind,
      amount,
      key,
      requestId,
      lane,
      ...(keyField !== undefined && { keyField }),
      ...(brief !== undefined && { brief }),
    })
  }

  close(call: Call, auction: string): Promise<CommandResult> {
    return this.#command('auction.close', call, auction, (command) => this.#deps.api.close(command))
  }

  cancel(call: Call, auction: string, reason?: string): Promise<CommandResult> {
    const said = reason === undefined ? {} : { reason }
    return this.#command('auction.cancel', call, auction, (command) => this.#deps.api.cancel({ ...command, ...said }))
  }

  extend(call: Call, auction: string, end: NewEnd): Promise<CommandResult> {
    return this.#command('auction.extend', call, auction, (command) => this.#deps.api.extend({ ...command, ...end }))
  }

  #command(
    act: string,
    call: Call,
    auction: string,
    send: (command: { auction: string; commandId: string; as: Party; requestId?: string }) => Promise<CommandResult>,
  ): Promise<CommandResult> {
    const { desk } = this.#deps
    const admit = async () => {
      const caller = this.#seller(call)
      const commandId = this.#commandId(call, caller)
      const as = await desk.sellerFor(auction, caller)
      return { commandId, call: () => send({ auction, commandId, as, ...requestIdOf(call) }) }
    }
    return this.recorded(act, call, { auction }, () => desk.command(auction, admit, call.lane))
  }

  /** Programs that sell need no name where names are taken on trust anyway. */
  #seller({ caller }: Call): Caller {
    const { mode } = this.#deps.callers
    return allowed(caller ?? (mode === 'open' ? ANONYMOUS : null), 'sell', mode)
  }

  #commandId({ key, keyField }: Call, { party }: Caller): string {
    return this.#deps.commandIds.of('cmd', key, party, keyField)
  }
}

/** Whom auctions are shown to: never the node's own user. */
function viewer({ caller }: Call): Party {
  return caller?.party ?? ANONYMOUS.party
}

function requestIdOf({ requestId }: Call): { requestId?: string } {
  return requestId === undefined ? {} : { requestId }
}

import { minimumBid } from '../../src/domain/auction.js'
import type { CommandResult } from '../../src/ports/node/node-answers.js'
import type { NodeApi } from '../../src/ports/node/node-api.js'
import type { OpenRequest } from '../../src/ports/node/node-requests.js'
import type { AuctionRecord } from '../../src/ports/store/auction-repository.js'
import type { Checker } from './checker.js'
import type { Machine } from './machine.js'
import type { Action, Profile } from './profile.js'
import type { Scheduler } from './scheduler.js'
import type { SeededRandom } from './seeded-random.js'

export interface UsersDeps {
  readonly scheduler: Scheduler
  readonly machines: readonly Machine[]
  readonly checker: Checker
  readonly random: SeededRandom
}

/** A command as its user remembers it, whatever becomes of the node. */
interface Asked {
  readonly commandId: string
  readonly machine: Machine
  /** Null for an opening, which is the user's own node's business. */
  readonly auctionId: string | null
  readonly call: (api: NodeApi, commandId: string) => Promise<CommandResult>
  readonly content: string
  attempts: number
  running: number
  /** An attempt ended without an answer. */
  unknown: boolean
  settled: boolean
}

/** Codes by which a node says that nothing was done. */
const NOTHING_DONE = new Set([
  'AUCTION_HELD',
  'AUCTION_NOT_FOUND',
  'BUSY',
  'DISK_FULL',
  'HOME_UNREACHABLE',
  'INVALID_INPUT',
  'LOG_UNREACHABLE',
  'MANDATE_OUT_OF_TIME',
  'STOPPING',
  'TOO_FEW_REPLICAS',
])
const SETTLE_EVERY_MS = 1_000
const MAX_BURST = 12

/** One user at each machine: they open auctions, bid, change their minds, ask twice, and misuse ids. */
export class Users {
  readonly #deps: UsersDeps
  readonly #profile: Profile
  readonly #asked: Asked[] = []
  #made = 0
  #active = true

  constructor(deps: UsersDeps, profile: Profile) {
    this.#deps = deps
    this.#profile = profile
  }

  start(): void {
    const { scheduler, random } = this.#deps
    scheduler.after(random.exponential(this.#profile.actionEveryMs), 'a user acts', null, () => {
      if (!this.#active) return
      this.#act(random.pick(this.#profile.actions) as Action)
      this.start()
    })
  }

  /** Nothing new from now on; what is not known yet is asked for again until it is. */
  settle(): void {
    this.#active = false
    this.#deps.scheduler.after(SETTLE_EVERY_MS, 'users ask again', null, () => {
      for (const asked of this.unsettled()) if (asked.running === 0) this.#attempt(asked)
      this.settle()
    })
  }

  /** Commands of which their users do not know what became of them. */
  unsettled(): Asked[] {
    return this.#asked.filter(({ settled, unknown, running }) => !settled && (unknown || running > 0))
  }

  /** The node that was asked is gone, and its answers with it. */
  ended(machine: Machine): void {
    for (const asked of this.#asked) {
      if (asked.machine !== machine || asked.running === 0) continue
      asked.running = 0
      asked.unknown = true
    }
  }

  #act(action: Action): void {
    const { random, machines } = this.#deps
    const machine = random.pick(machines.filter(({ running }) => running))
    if (!machine) return
    const auction = this.#someAuction(machine)
    if (action === 'retry') this.#retry()
    else if (action === 'open' || !auction) this.#open(machine)
    else this.#actOn(action, machine, auction)
  }

  #actOn(action: Exclude<Action, 'open' | 'retry'>, machine: Machine, auction: AuctionRecord): void {
    const { machines, random } = this.#deps
    const { auctionId, state } = auction
    switch (action) {
      case 'bid':
      case 'max':
        this.#bid(machine, auction, action === 'bid' ? 'plain' : 'max')
        break
      case 'burst':
        this.#burst(auction)
        break
      case 'reuse':
        this.#reuse(machine, auction)
        break
      case 'buy-now':
        this.#ask(machine, 'bid', auctionId, 'buy-now', (api, commandId) =>
          api.buyNow({ auction: auctionId, commandId }),
        )
        break
      case 'close':
        this.#ask(this.#sellerOr(machine, auction), 'cmd', auctionId, 'close', (api, commandId) =>
          api.close({ auction: auctionId, commandId }),
        )
        break
      case 'cancel':
        this.#ask(this.#sellerOr(machine, auction), 'cmd', auctionId, 'cancel', (api, commandId) =>
          api.cancel({ auction: auctionId, commandId, reason: 'a change of mind' }),
        )
        break
      case 'extend': {
        const closesAt = (state.closesAt ?? state.at) + random.int(-1_000, 8_000)
        const seller = this.#sellerOr(machine, auction)
        this.#ask(seller, 'cmd', auctionId, `extend ${closesAt}`, (api, commandId) =>
          api.extend({ auction: auctionId, commandId, closesAt }),
        )
        break
      }
      case 'handover': {
        const to = random.pick(machines)
        const home = machines.find(({ nodeId }) => nodeId === state.home.nodeId)
        // Whether it moves or stays is told by the log.
        if (to) void home?.api?.handover({ auction: auctionId, peer: to.nodeId }).catch(() => {})
        break
      }
      case 'auto-bid':
        this.#autoBid(machine, auction)
        break
      case 'stop-auto-bid':
        // Refused where there is none, which changes nothing.
        void machine.api?.stopAutoBid({ auction: auctionId }).catch(() => {})
        break
      default: {
        const unknown: never = action
        throw new Error(`unknown action ${String(unknown)}`)
      }
    }
  }

  #someAuction(machine: Machine): AuctionRecord | undefined {
    const { random } = this.#deps
    const all = [...(machine.store?.tables.auctions.values() ?? [])]
    const live = all.filter(({ state }) => state.status === 'open' || state.status === 'scheduled')
    return random.pick(live.length > 0 && random.chance(0.9) ? live : all)
  }

  #sellerOr(machine: Machine, { state }: AuctionRecord): Machine {
    const seller = this.#deps.machines.find(({ nodeId }) => nodeId === state.seller.id)
    return seller && this.#deps.random.chance(0.8) ? seller : machine
  }

  #open(machine: Machine): void {
    const { random, checker } = this.#deps
    const live = [...checker.lines.values()].filter(({ over }) => over === null).length
    if (live >= this.#profile.maxLive) return
    const start = random.int(100, 5_000)
    const ends = random.chance(0.75)
    const opensAt = random.chance(0.2) ? machine.now + random.int(500, 5_000) : undefined
    const request: Omit<OpenRequest, 'commandId'> = {
      title: `Lot ${this.#made}`,
      currency: 'USD',
      start: money(start),
      ...(random.chance(0.5) && { increment: money(random.int(10, 200)) }),
      ...(random.chance(0.3) && { reserve: money(start + random.int(1, 3_000)) }),
      ...(random.chance(0.2) && { buyNow: money(start + 20_000) }),
      ...(opensAt !== undefined && { opensAt }),
      ...(ends && { closesInMs: random.int(3_000, 15_000) }),
      ...(ends && random.chance(0.5) && { softClose: { windowMs: 2_000, extensionMs: 1_500 } }),
      ...(this.#made % 5 === 1 && { givesTimeBack: false }),
    }
    this.#ask(machine, 'cmd', null, JSON.stringify(request), (api, commandId) => api.open({ ...request, commandId }))
  }

  #bid(machine: Machine, { auctionId, state }: AuctionRecord, kind: 'plain' | 'max'): void {
    const { random } = this.#deps
    const steps = kind === 'plain' ? random.int(-1, 4) : random.int(0, 12)
    const amount = money(Math.max(1, (minimumBid(state) ?? state.terms.startPrice) + steps * random.int(1, 100)))
    this.#ask(machine, 'bid', auctionId, `${kind} ${amount}`, (api, commandId) =>
      api.bid({ auction: auctionId, commandId, kind, amount }),
    )
  }

  /** Many bids at once, so that some are decided while others are being written. */
  #burst(auction: AuctionRecord): void {
    const { random, machines, scheduler } = this.#deps
    const count = random.int(3, MAX_BURST)
    for (let i = 0; i < count; i++) {
      scheduler.after(random.between(0, 20), 'a user bids in a burst', null, () => {
        const machine = random.pick(machines.filter(({ running }) => running))
        const known = machine?.store?.tables.auctions.get(auction.auctionId)
        if (machine && known) this.#bid(machine, known, random.chance(0.7) ? 'plain' : 'max')
      })
    }
  }

  #autoBid(machine: Machine, { auctionId, state }: AuctionRecord): void {
    const { random, checker } = this.#deps
    const limit = (minimumBid(state) ?? state.terms.startPrice) + random.int(0, 1_500)
    checker.limited(machine.nodeId, auctionId, limit)
    // Refused for one's own auction and for one that is over, which changes nothing.
    void machine.api?.autoBid({ auction: auctionId, limit: money(limit) }).catch(() => {})
  }

  #retry(): void {
    const { random } = this.#deps
    const unknown = this.#asked.filter((asked) => asked.unknown && !asked.settled)
    const asked = random.pick(unknown.length > 0 && random.chance(0.7) ? unknown : this.#asked)
    if (asked) this.#attempt(asked)
  }

  /** The id of an earlier bid for another one. */
  #reuse(machine: Machine, { auctionId, state }: AuctionRecord): void {
    const { random, checker } = this.#deps
    const earlier = random.pick(this.#asked.filter(({ commandId }) => commandId.startsWith('bid')))
    if (!earlier) return
    checker.usedTwice(earlier.commandId)
    const amount = money((minimumBid(state) ?? state.terms.startPrice) + random.int(0, 300))
    const asked = this.#remember(machine, earlier.commandId, auctionId, `reuse ${amount}`, (api, commandId) =>
      api.bid({ auction: auctionId, commandId, kind: 'plain', amount }),
    )
    this.#attempt(asked)
  }

  #ask(machine: Machine, prefix: 'bid' | 'cmd', auctionId: string | null, content: string, call: Asked['call']): void {
    const commandId = `${prefix}_${String(++this.#made).padStart(8, '0')}`
    this.#attempt(this.#remember(machine, commandId, auctionId, content, call))
  }

  #remember(
    machine: Machine,
    commandId: string,
    auctionId: string | null,
    content: string,
    call: Asked['call'],
  ): Asked {
    const state = { attempts: 0, running: 0, unknown: false, settled: false }
    const asked: Asked = { commandId, machine, auctionId, call, content, ...state }
    this.#asked.push(asked)
    return asked
  }

  #attempt(asked: Asked): void {
    const { machine, commandId } = asked
    const { api } = machine
    if (!api) return
    const { scheduler, checker } = this.#deps
    checker.asked(commandId)
    scheduler.note(`${machine.name} user: ${commandId} ${asked.content} ${asked.auctionId ?? ''}`)
    asked.attempts += 1
    asked.running += 1
    asked.call(api, commandId).then(
      (result) => this.#told(asked, result),
      (error: unknown) => this.#failed(asked, error),
    )
  }

  #told(asked: Asked, { outcome }: CommandResult): void {
    const { machine, auctionId, content } = asked
    asked.running = Math.max(0, asked.running - 1)
    asked.settled = true
    this.#deps.scheduler.note(`${machine.name} told: ${JSON.stringify(outcome)}`)
    const { checker } = this.#deps
    const homeId = auctionId === null ? machine.nodeId : checker.lines.get(auctionId)?.home.nodeId
    if (homeId !== undefined) checker.told(homeId, content, outcome)
  }

  #failed(asked: Asked, error: unknown): void {
    const { machine, commandId } = asked
    asked.running = Math.max(0, asked.running - 1)
    const code = String((error as { code?: unknown }).code)
    this.#deps.scheduler.note(`${machine.name} told: ${commandId} ${code} ${(error as Error).message}`)
    if (!NOTHING_DONE.has(code)) asked.unknown = true
    else if (asked.attempts === 1) this.#deps.checker.refused(commandId, code)
  }
}

function money(minor: number): string {
  return (minor / 100).toFixed(2)
}

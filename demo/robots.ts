import { sleep } from '../src/adapters/cli/session/waiting.js'
import { formatAmount } from '../src/domain/money.js'
import type { AuctionView, CommandResult } from '../src/ports/node/node-answers.js'
import { NodeError } from '../src/ports/node/node-error.js'
import type { DemoNode } from './demo-node.js'

export interface RobotDeps {
  readonly node: DemoNode
  newCommandId(kind: 'bid' | 'cmd'): string
  /** 0 to 1. */
  random(): number
}

export interface RobotCounts {
  actions: number
  rejected: number
  failed: number
}

const MIN_PAUSE_MS = 250
const MAX_PAUSE_MS = 1_500
const MAX_OPEN_AUCTIONS = 4
const MIN_LIFE_MS = 15_000
const MAX_LIFE_MS = 45_000
const SOFT_CLOSE_MS = 5_000
const EXTENSION_MS = 10_000
const LOTS = ['Pic', 'Map', 'Vase', 'Lamp', 'Clock', 'Stamp', 'Chair', 'Coin', 'Book', 'Print']
/** How often a robot does what. */
const SHARES = { open: 0.15, close: 0.03, extend: 0.04, max: 0.2, upTo: 0.12 }

/** Opens, bids in every way, extends and closes, at random, as its node's user. */
export class Robot {
  readonly counts: RobotCounts = { actions: 0, rejected: 0, failed: 0 }
  readonly #deps: RobotDeps
  #lots = 0

  constructor(deps: RobotDeps) {
    this.#deps = deps
  }

  async run(ended: AbortSignal): Promise<void> {
    const { random } = this.#deps
    while (!ended.aborted) {
      await sleep(MIN_PAUSE_MS + random() * (MAX_PAUSE_MS - MIN_PAUSE_MS), ended)
      if (ended.aborted) return
      try {
        const result = await this.#act()
        if (result !== null) this.counts.actions += 1
        if (result?.outcome.status === 'rejected') this.counts.rejected += 1
      } catch (error) {
        // Others act at the same time: what was possible a moment ago may not be now.
        if (!(error instanceof NodeError)) throw error
        this.counts.failed += 1
      }
    }
  }

  /** Null where there was nothing to do, or nothing that has an outcome. */
  async #act(): Promise<CommandResult | null> {
    const { node, random, newCommandId } = this.#deps
    const { auctions } = await node.api.list({ statuses: ['open'], limit: 50 })
    const mine = auctions.filter(({ mine }) => mine === 'seller')
    const others = auctions.filter(({ mine }) => mine !== 'seller')
    const choice = random()
    if (others.length === 0 || (choice < SHARES.open && auctions.length < MAX_OPEN_AUCTIONS)) {
      return auctions.length < MAX_OPEN_AUCTIONS ? this.#open() : null
    }
    const own = this.#pick(mine)
    if (own && choice > 1 - SHARES.close && own.state.bidCount > 0) {
      return node.api.close({ auction: own.auctionId, commandId: newCommandId('cmd') })
    }
    if (own && choice > 1 - SHARES.close - SHARES.extend && own.state.closesAt !== null) {
      return node.api.extend({
        auction: own.auctionId,
        commandId: newCommandId('cmd'),
        addedMs: EXTENSION_MS,
      })
    }
    const target = this.#pick(others.filter(({ mine }) => mine !== 'leading'))
    return target ? this.#bid(target) : null
  }

  #open(): Promise<CommandResult> {
    const { node, random, newCommandId } = this.#deps
    this.#lots += 1
    const lot = LOTS[Math.floor(random() * LOTS.length)]
    return node.api.open({
      commandId: newCommandId('cmd'),
      title: `${lot} ${this.#lots} of ${node.name}`,
      currency: 'USDT',
      start: String(5 + Math.floor(random() * 95)),
      closesInMs: Math.round(MIN_LIFE_MS + random() * (MAX_LIFE_MS - MIN_LIFE_MS)),
      softClose: { windowMs: SOFT_CLOSE_MS, extensionMs: SOFT_CLOSE_MS },
    })
  }

  async #bid(view: AuctionView): Promise<CommandResult | null> {
    const { node, random, newCommandId } = this.#deps
    const { currency } = view.state.terms
    const minimum = view.minimum ?? view.state.terms.startPrice
    // Round amounts, in halves of the currency's unit.
    const half = Math.max(1, 10 ** currency.exponent / 2)
    const above = (share: number) => formatAmount(Math.ceil((minimum * (1 + random() * share)) / half) * half, currency)
    const way = random()
    const { auctionId } = view
    if (way < SHARES.upTo) {
      await node.api.autoBid({ auction: auctionId, limit: above(0.5) })
      this.counts.actions += 1
      return null
    }
    const commandId = newCommandId('bid')
    if (way < SHARES.upTo + SHARES.max) {
      return node.api.bid({ auction: auctionId, commandId, kind: 'max', amount: above(0.4) })
    }
    return node.api.bid({
      auction: auctionId,
      commandId,
      kind: 'plain',
      amount: formatAmount(minimum, currency),
    })
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#deps.random() * items.length)]
  }
}

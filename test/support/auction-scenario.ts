import { createHash } from 'node:crypto'
import { type Auction, type OpenedAuction, UNOPENED } from '../../src/domain/auction.js'
import type { Command, OpenAuction, SealedMaximum } from '../../src/domain/commands.js'
import { type Decision, decide, type HomeState } from '../../src/domain/decide.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import { evolve } from '../../src/domain/evolve.js'
import { flatIncrement } from '../../src/domain/increments.js'
import type { Minor } from '../../src/domain/money.js'
import type { Party } from '../../src/domain/party.js'
import { NO_SECRETS } from '../../src/domain/pricing.js'
import type { Rejection } from '../../src/domain/rejection.js'
import type { Terms } from '../../src/domain/terms.js'
import { TEST_MESH } from './memory-members.js'

/** When scenarios open their auction; `at` counts from here. */
export const T0 = Date.UTC(2030, 0, 1, 12)
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE

export const USD = { code: 'USD', exponent: 2 }
export const SELLER: Party = { id: 'node_seller', name: 'Seller' }
export const ALICE: Party = { id: 'node_alice', name: 'Alice' }
export const BOB: Party = { id: 'node_bob', name: 'Bob' }
export const CAROL: Party = { id: 'node_carol', name: 'Carol' }

export interface Setup extends Partial<Terms> {
  readonly reserve?: Minor
}

/** In the form of a public key: nobody signs with it. */
export const A_KEY = `${'K'.repeat(42)}A`

/** Sound terms: 75.00 USD, 1.00 a step, closed by hand. */
export function termsWith(overrides: Partial<Terms> = {}): Terms {
  return {
    title: 'Pic#1',
    description: '',
    currency: USD,
    startPrice: 7_500,
    reserveCommitment: null,
    increments: flatIncrement(100),
    buyNow: null,
    opensAt: null,
    closesAt: null,
    softClose: null,
    bidderNames: 'public',
    givesTimeBack: true,
    pictures: [],
    ...overrides,
  }
}

export function saltOf(id: string): string {
  return sha256(`salt of ${id}`).slice(0, 32)
}

export function commitmentTo(id: string, amount: Minor): string {
  return sha256(`${id} ${amount} ${saltOf(id)}`)
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

export function openCommand({ reserve, ...overrides }: Setup = {}): OpenAuction {
  const sealed = reserve === undefined ? null : { amount: reserve, salt: saltOf('reserve') }
  const reserveCommitment = reserve === undefined ? null : commitmentTo('reserve', reserve)
  return {
    type: 'OpenAuction',
    commandId: 'cmd_open',
    now: T0,
    meshId: TEST_MESH,
    seller: SELLER,
    home: { nodeId: SELLER.id, publicKey: A_KEY },
    cluster: null,
    terms: termsWith({ reserveCommitment, ...overrides }),
    reserve: sealed,
  }
}

/** An auction that has just been opened. Given this, when commands are sent, then look at state and events. */
export function given(setup: Setup = {}): AuctionScenario {
  const scenario = new AuctionScenario().send(openCommand(setup))
  if (scenario.rejection !== null) throw new Error(`not opened: ${JSON.stringify(scenario.rejection)}`)
  return scenario
}

/** Folds a log from nothing, as a replica does. */
export function replay(events: readonly AuctionEvent[]): Auction {
  return events.reduce<Auction>(evolve, UNOPENED)
}

/** A home in small: keeps state, secrets and log, and remembers what the last command came to. */
export class AuctionScenario {
  state: HomeState = { auction: UNOPENED, secrets: NO_SECRETS }
  now = T0
  readonly events: AuctionEvent[] = []
  readonly sealed: SealedMaximum[] = []
  last: Decision | null = null

  get auction(): OpenedAuction {
    if (this.state.auction.status === 'unopened') throw new Error('the auction is not open')
    return this.state.auction
  }

  /** Why the last command was refused; null where it was accepted. */
  get rejection(): Rejection | null {
    return this.last === null || this.last.accepted ? null : this.last.rejection
  }

  /** The events of the last command. */
  get raised(): readonly AuctionEvent[] {
    return this.last?.accepted ? this.last.events : []
  }

  /** Who leads, at what price. */
  get standing(): [leader: string | undefined, price: Minor | null] {
    return [this.auction.leader?.name, this.auction.price]
  }

  /** Sets the clock, in milliseconds since the auction was opened. */
  at(ms: number): this {
    this.now = T0 + ms
    return this
  }

  send(command: Command): this {
    const decision = decide(this.state, command)
    this.last = decision
    if (!decision.accepted) return this
    this.state = decision.next
    this.events.push(...decision.events)
    if (decision.sealed !== null) this.sealed.push(decision.sealed)
    return this
  }

  bid(bidder: Party, amount: Minor): this {
    const offer = { kind: 'plain', amount } as const
    return this.send({ type: 'PlaceBid', bidId: this.#nextId(), now: this.now, bidder, offer })
  }

  max(bidder: Party, amount: Minor): this {
    const bidId = this.#nextId()
    const offer = {
      kind: 'max',
      amount,
      salt: saltOf(bidId),
      commitment: commitmentTo(bidId, amount),
    } as const
    return this.send({ type: 'PlaceBid', bidId, now: this.now, bidder, offer })
  }

  buyNow(bidder: Party): this {
    return this.send({ type: 'BuyNow', commandId: this.#nextId(), now: this.now, bidder })
  }

  start(): this {
    return this.send({ type: 'StartAuction', now: this.now })
  }

  end(): this {
    return this.send({ type: 'EndAuction', now: this.now })
  }

  close(by: Party = SELLER): this {
    return this.send({ type: 'CloseAuction', commandId: 'cmd_close', now: this.now, by })
  }

  cancel(by: Party = SELLER, reason = 'withdrawn'): this {
    return this.send({ type: 'CancelAuction', commandId: 'cmd_cancel', now: this.now, by, reason })
  }

  /** `ms` counts from the opening, as for `at`. */
  extend(ms: number, by: Party = SELLER): this {
    return this.send({ type: 'ExtendAuction', commandId: 'cmd_extend', now: this.now, by, closesAt: T0 + ms })
  }

  /** Opens what has not been opened yet. */
  reveal(): this {
    const revealed = new Set(
      this.events.flatMap((event) => (event.type === 'MaximaRevealed' ? event.maxima : [])).map((m) => m.bidId),
    )
    const sealed = this.sealed.filter(({ bidId }) => !revealed.has(bidId))
    return this.send({ type: 'RevealMaxima', now: this.now, sealed })
  }

  /** Ids count the events, so they say which bid of a history is meant. */
  #nextId(): string {
    return `bid_${this.events.length}`
  }
}

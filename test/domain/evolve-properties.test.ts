import { expect } from 'chai'
import fc from 'fast-check'
import { type Auction, type OpenedAuction, UNOPENED } from '../../src/domain/auction.js'
import type { AuctionEvent } from '../../src/domain/events.js'
import { evolve, IllegalEventError } from '../../src/domain/evolve.js'
import { amountOf, type Step, setups, steps, take } from '../support/auction-histories.js'
import { commitmentTo, given, replay, type Setup } from '../support/auction-scenario.js'

function legalLog(setup: Setup, history: readonly Step[]): AuctionEvent[] {
  const auction = given(setup)
  for (const step of history) {
    take(auction, step, amountOf(step, auction))
  }
  auction.close().reveal()
  return auction.events
}

type Path = readonly (string | number)[]

function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, [...path, key]))
}

/** Another value of the same kind: what the schema of events lets through. */
function forged(value: unknown, field: string, choice: number): unknown {
  if (typeof value === 'number') {
    return [value + 1, value - 1, value * 2, 0, -value, value + 0.5, Number.NaN, Infinity, 2 ** 53][choice % 9]
  }
  if (typeof value === 'boolean') return !value
  if (value === null) return field === 'commitment' ? commitmentTo('forged', 1) : 1 + choice * 50
  return ['node_seller', 'node_alice', 'seller', 'end-time', 'buy-now', 'soft-close', 'bid_2', ''][choice % 8]
}

function withForgery(event: AuctionEvent, path: Path, choice: number): AuctionEvent {
  const copy = structuredClone(event)
  const field = String(path[path.length - 1])
  let holder = copy as unknown as Record<string | number, unknown>
  for (const key of path.slice(0, -1)) holder = holder[key] as typeof holder
  holder[field] = forged(holder[field], field, choice)
  return copy
}

/** What a replica may rely on after any event that evolve took, whoever wrote it. */
function expectLegal(before: Auction, event: AuctionEvent, after: OpenedAuction): void {
  expect(after.seq).to.equal(before.seq + 1)
  expect(after.at).to.equal(event.at)
  expect(after.leader?.id).not.to.equal(after.seller.id)
  expect(after.price === null || (Number.isSafeInteger(after.price) && after.price > 0)).to.equal(true)
  if (before.status === 'unopened') return
  expect(before.status === 'scheduled' || before.status === 'open' || event.type === 'MaximaRevealed').to.equal(true)
  expect(after.at).to.be.at.least(before.at)
  expect(after.price ?? 0).to.be.at.least(before.price ?? 0)
  expect(after.reserveMet || !before.reserveMet).to.equal(true)
  expect(after.terms).to.equal(before.terms)
  if (before.closesAt !== null) {
    expect(after.closesAt).to.be.at.least(before.closesAt)
    expect(after.closesAt).to.be.at.most(Math.max(before.closesAt, hardStop(before)))
    if (after.bidCount > before.bidCount) expect(after.at).to.be.below(before.closesAt)
  }
  if (after.status === 'closed' && after.result.sold) {
    expect([after.result.winner.id, after.result.price]).to.deep.equal([before.leader?.id, before.price])
    expect(before.reserveMet).to.equal(true)
  }
}

function hardStop({ terms }: OpenedAuction): number {
  return terms.softClose?.hardStopAt ?? Number.MAX_SAFE_INTEGER
}

describe('a forged event', () => {
  it('is refused, or leads where a legal one could have led', () => {
    let refused = 0
    fc.assert(
      fc.property(setups, steps, fc.nat(), fc.nat(), fc.nat(), (setup, history, at, leaf, choice) => {
        const log = legalLog(setup, history)
        const index = at % log.length
        const event = log[index] as AuctionEvent
        const paths = leaves(event).filter((path) => path[0] !== 'type')
        const forgery = withForgery(event, paths[leaf % paths.length] as Path, choice)
        const before = index === 0 ? UNOPENED : replay(log.slice(0, index))
        let after: OpenedAuction
        try {
          after = evolve(before, forgery)
        } catch (error) {
          if (!(error instanceof IllegalEventError)) throw error
          refused++
          return
        }
        expectLegal(before, forgery, after)
      }),
      { numRuns: 2_000 },
    )
    expect(refused).to.be.above(500)
  })

  it('is refused where it changes the outcome', () => {
    fc.assert(
      fc.property(setups, steps, fc.nat(), fc.nat(), (setup, history, leaf, choice) => {
        const log = legalLog(setup, history)
        const index = log.findIndex(({ type }) => type === 'AuctionClosed')
        const event = log[index]
        if (event?.type !== 'AuctionClosed') return
        const paths = leaves(event).filter(([field, inner]) => field === 'result' && inner !== 'winner')
        const forgery = withForgery(event, paths[leaf % paths.length] as Path, choice)
        if (JSON.stringify(forgery) === JSON.stringify(event)) return
        const before = replay(log.slice(0, index))
        expect(() => evolve(before, forgery)).to.throw(IllegalEventError)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a legal log', () => {
  it('is refused when an event comes twice, unless it changes a maximum or reveals some', () => {
    fc.assert(
      fc.property(setups, steps, fc.nat(), (setup, history, at) => {
        const log = legalLog(setup, history)
        const index = at % log.length
        const event = log[index] as AuctionEvent
        if (event.type === 'MaxBidChanged' || event.type === 'MaximaRevealed') return
        const twice = [...log.slice(0, index + 1), event]
        expect(() => replay(twice)).to.throw(IllegalEventError)
      }),
      { numRuns: 500 },
    )
  })
})

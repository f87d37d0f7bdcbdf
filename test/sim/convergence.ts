import { minimumBid } from '../../src/domain/auction.js'
import type { AutoBid } from '../../src/ports/store/auto-bid-repository.js'
import type { Checker } from './checker.js'
import type { Machine } from './machine.js'
import type { Users } from './users.js'

/** How late an auction may start or end by its home's clock. */
const LATE_MS = 2_000

/** In what the replicas differ from their homes; empty once all nodes hold the same. */
export function unequal(machines: readonly Machine[], checker: Checker): string[] {
  const missing: string[] = []
  for (const machine of machines) {
    for (const { auctionId, head } of checker.lines.values()) {
      const held = machine.store?.tables.auctions.get(auctionId)?.head
      if (held?.hash !== head.hash)
        missing.push(`${machine.name} has ${auctionId} up to ${held?.seq ?? 0}, its home up to ${head.seq}`)
    }
  }
  return missing
}

/** What is still missing for a mesh in peace to be as it should; empty once it is. */
export function unconverged(machines: readonly Machine[], checker: Checker, users: Users): string[] {
  const missing = unequal(machines, checker)
  for (const machine of machines) {
    if (!machine.running) missing.push(`${machine.name} does not run`)
    missing.push(...peersMissing(machine, machines), ...dutiesMissing(machine, checker))
    for (const autoBid of machine.store?.autoBidTable.values() ?? []) missing.push(...autoBidMissing(machine, autoBid))
  }
  for (const { commandId, machine } of users.unsettled())
    missing.push(`${machine.name} does not know what became of ${commandId}`)
  return missing
}

function peersMissing(machine: Machine, machines: readonly Machine[]): string[] {
  const table = machine.services?.parts.peerTable
  return machines
    .filter(({ nodeId }) => nodeId !== machine.nodeId && table?.get(nodeId)?.state !== 'alive')
    .map((peer) => `${machine.name} takes ${peer.name} for ${table?.get(peer.nodeId)?.state ?? 'nobody'}`)
}

/** What a home has not done yet that was due. */
function dutiesMissing(machine: Machine, checker: Checker): string[] {
  const missing: string[] = []
  for (const { auctionId, home } of checker.lines.values()) {
    const auction = machine.store?.tables.auctions.get(auctionId)
    if (auction === undefined || home.nodeId !== machine.nodeId) continue
    const { state, sealed } = auction
    const due = state.status === 'scheduled' ? state.terms.opensAt : state.closesAt
    const live = state.status === 'open' || state.status === 'scheduled'
    const now = machine.services?.parts.homeClock.now() ?? machine.now
    if (live && due !== null && now > due + LATE_MS)
      missing.push(`${auctionId} is ${state.status}, ${now - due} ms late`)
    if (state.status === 'closed') {
      const { result } = state
      const hidden = [...sealed.values()].filter(
        ({ bidderId, amount }) => !result.sold || bidderId !== result.winner.id || amount <= result.price,
      )
      if (hidden.length > 0) missing.push(`${auctionId} has ${hidden.length} maxima to reveal`)
    }
  }
  return missing
}

function autoBidMissing(machine: Machine, { auctionId, state: told, pending, limit }: AutoBid): string[] {
  const auction = machine.store?.tables.auctions.get(auctionId)?.state
  const fail = (why: string) => [`the auto-bid of ${machine.name} on ${auctionId} is ${told}: ${why}`]
  if (auction === undefined) return fail('there is no such auction')
  if (pending !== null) return fail('a bid is on its way')
  if (told === 'stopped') return []
  if (auction.status === 'cancelled') return fail('the auction is cancelled')
  if (auction.status === 'closed') {
    const won = auction.result.sold && auction.result.winner.id === machine.nodeId
    return told === (won ? 'won' : 'lost') ? [] : fail(won ? 'it won' : 'it lost')
  }
  if (auction.status === 'scheduled' || auction.leader?.id === machine.nodeId) return []
  const outbid = (minimumBid(auction) ?? Number.POSITIVE_INFINITY) > limit
  return outbid === (told === 'outbid') && outbid ? [] : fail(outbid ? 'it is outbid' : 'it could bid')
}

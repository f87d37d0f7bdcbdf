import { hash } from 'node:crypto'
import type { Command } from '../../domain/commands.js'
import type { Minor } from '../../domain/money.js'
import type { RemoteCommand } from '../../domain/remote-command.js'
import type { OpenRequest } from '../../ports/node/node-requests.js'
import type { Clock } from '../../ports/system/clock.js'
import { commitmentOf } from '../log/commitment.js'

/** What an actor is asked to do: a client's command; to start or end what is due; to reveal more maxima. */
export type HomeTask = RemoteCommand | { readonly type: 'due' | 'reveal'; readonly auctionId: string }

/** A client's command has an id, and so an outcome that is kept. */
export function isClientCommand(task: HomeTask): task is RemoteCommand {
  return 'commandId' in task
}

/**
 * All that a command asks for, as it was asked: equal for a repeated one, different for another one under the same id.
 * Holds maxima.
 */
export function fingerprintOf(command: RemoteCommand): string {
  switch (command.type) {
    case 'PlaceBid':
      return bidText(command.auctionId, command.bidder.id, command)
    case 'BuyNow':
      return `buy-now ${command.auctionId} ${command.bidder.id}`
    case 'CloseAuction':
      return `close ${command.auctionId} ${command.by.id}`
    case 'CancelAuction':
      return `cancel ${command.auctionId} ${command.by.id} ${hash('sha256', command.reason, 'hex')}`
    case 'ExtendAuction': {
      const end = 'addedMs' in command ? `by ${command.addedMs}` : `to ${command.closesAt}`
      return `extend ${command.auctionId} ${command.by.id} ${end}`
    }
    default: {
      const unknown: never = command
      throw new Error(`unknown command ${JSON.stringify(unknown)}`)
    }
  }
}

/**
 * That of an opening: of every field of the request but those that say how it travels, so that one that is added later
 * counts as well. It is made of what was asked ("ends in 2 h"), since what that comes to is another time with each try.
 */
export function openingFingerprint(request: OpenRequest, sellerId: string): string {
  const { commandId: _, replicas: __, requestId: ___, as: ____, ...asked } = request
  return `open ${sellerId} ${hash('sha256', JSON.stringify(asked, sortKeys), 'hex')}`
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** That of a plain bid, from what its event holds. */
export function plainBidFingerprint(auctionId: string, bidderId: string, amount: Minor): string {
  return bidText(auctionId, bidderId, { kind: 'plain', amount })
}

/**
 * Of a command of which the log does not hold all, and nobody knows it any more: those that begin like it are the same.
 */
export function lostFingerprint(beginning: string): string {
  return `${beginning} ${LOST}`
}

export function lostMaxFingerprint(auctionId: string, bidderId: string): string {
  return lostFingerprint(`bid ${auctionId} ${bidderId} max`)
}

const LOST = '?'

/** Whether a command asks for what the one before under its id did. */
export function repeats(asked: string, known: string): boolean {
  return asked === known || (known.endsWith(` ${LOST}`) && asked.startsWith(known.slice(0, -LOST.length)))
}

function bidText(auctionId: string, bidderId: string, bid: { kind: 'plain' | 'max'; amount: Minor }): string {
  return `bid ${auctionId} ${bidderId} ${bid.kind} ${bid.amount}`
}

/** The domain's command for a client's; the home adds its time. */
export function domainCommand(command: RemoteCommand, now: number): Command {
  if (command.type !== 'PlaceBid') return { ...command, now }
  const { type, commandId: bidId, auctionId, bidder, amount } = command
  if (command.kind === 'plain') return { type, bidId, now, bidder, offer: { kind: 'plain', amount } }
  const { kind, salt } = command
  const commitment = commitmentOf({ scope: auctionId, id: bidId, amount, salt })
  return { type, bidId, now, bidder, offer: { kind, amount, salt, commitment } }
}

/** The home's clock as an auction sees it: never before what its log already says. */
export function auctionNow(clock: Clock, lastAt: number): number {
  return Math.max(clock.now(), lastAt)
}

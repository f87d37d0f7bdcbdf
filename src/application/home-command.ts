import { hash } from 'node:crypto'
import type { Command } from '../domain/commands.js'
import type { Clock } from '../ports/clock.js'
import type { RemoteCommand } from '../ports/peer-client.js'
import { commitmentOf } from './commitment.js'

/** What an actor is asked to do: a client's command; to start or end what is due; to reveal more maxima. */
export type HomeTask = RemoteCommand | { readonly type: 'due' | 'reveal'; readonly auctionId: string }

/** A client's command has an id, and so an outcome that is kept. */
export function isClientCommand(task: HomeTask): task is RemoteCommand {
  return 'commandId' in task
}

const FINGERPRINT_LENGTH = 16

/** Equal for a repeated command, different for another one under the same id: 96 bits of a hash over all it says. */
export function fingerprintOf(command: RemoteCommand): string {
  return hash('sha256', textOf(command), 'base64url').slice(0, FINGERPRINT_LENGTH)
}

function textOf(command: RemoteCommand): string {
  switch (command.type) {
    case 'bid':
      return `bid ${command.auctionId} ${command.bidder.id} ${command.kind} ${command.amount}`
    case 'buy-now':
      return `buy-now ${command.auctionId} ${command.bidder.id}`
    case 'close':
    case 'cancel':
      return `${command.type} ${command.auctionId} ${command.by.id}`
    case 'extend':
      return `extend ${command.auctionId} ${command.by.id} ${command.closesAt}`
    default: {
      const unknown: never = command
      throw new Error(`unknown command ${JSON.stringify(unknown)}`)
    }
  }
}

/** The domain's command for a client's; the home adds its time. */
export function domainCommand(command: RemoteCommand, now: number): Command {
  const { commandId, auctionId } = command
  switch (command.type) {
    case 'bid': {
      const { bidder, amount } = command
      if (command.kind === 'plain')
        return { type: 'PlaceBid', bidId: commandId, now, bidder, offer: { kind: 'plain', amount } }
      const { kind, salt } = command
      const commitment = commitmentOf({ scope: auctionId, id: commandId, amount, salt })
      return { type: 'PlaceBid', bidId: commandId, now, bidder, offer: { kind, amount, salt, commitment } }
    }
    case 'buy-now':
      return { type: 'BuyNow', bidId: commandId, now, bidder: command.bidder }
    case 'close':
      return { type: 'CloseAuction', commandId, now, by: command.by }
    case 'cancel':
      return { type: 'CancelAuction', commandId, now, by: command.by, reason: command.reason }
    case 'extend':
      return { type: 'ExtendAuction', commandId, now, by: command.by, closesAt: command.closesAt }
    default: {
      const unknown: never = command
      throw new Error(`unknown command ${JSON.stringify(unknown)}`)
    }
  }
}

/** The home's clock as an auction sees it: never before what its log already says. */
export function auctionNow(clock: Clock, lastAt: number): number {
  return Math.max(clock.now(), lastAt)
}

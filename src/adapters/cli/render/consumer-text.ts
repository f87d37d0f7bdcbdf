import type { ConsumerStatus } from '../../../ports/store/consumer-status.js'
import { type Look, showSpan } from './look.js'
import { oneLine } from './terminal-text.js'

/** A line for each service that computes something from auctions' events. */
export function consumerFacts(statuses: readonly ConsumerStatus[], paint: Look['paint']): [string, string][] {
  return statuses.flatMap((status): [string, string][] => [
    [status.name, consumerText(status, paint)],
    ...status.stopped.map(({ auctionId, seq, rule, isSigned }): [string, string] => [
      'stopped',
      paint.bad(
        `${auctionId} at event ${seq}: ${oneLine(rule)}${isSigned ? ' (signed: a proof against its home)' : ''}`,
      ),
    ]),
  ])
}

function consumerText(status: ConsumerStatus, paint: Look['paint']): string {
  const { state, heldBy, done, total, behind, lagMs, error } = status
  switch (state) {
    case 'waiting':
      return paint.warn(`waits: ${oneLine(heldBy ?? 'another instance')} is at work`)
    case 'catching-up':
      return paint.warn(`catches up: ${done} of ${total} events`)
    case 'following':
      return behind === 0 ? paint.good('up to date') : `${behind} events behind, the oldest for ${showSpan(lagMs)}`
    case 'failing':
      return paint.bad(`fails, and tries again: ${oneLine(error ?? 'unknown')}`)
    case 'stopped':
      return paint.warn('has not started')
    default: {
      const unknown: never = state
      throw new Error(`unknown state ${JSON.stringify(unknown)}`)
    }
  }
}

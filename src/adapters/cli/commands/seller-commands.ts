import { ackOption, type NodeCommand, type OptionSpec } from '../parse/command.js'
import { UsageError } from '../parse/usage-error.js'
import { showWhen } from '../render/look.js'
import { closedLines, reportResult } from '../render/outcome-text.js'
import { oneLine } from '../render/terminal-text.js'
import { send } from '../session/outcome-unknown.js'

const positionals = { auction: 'Id of your auction, or the start of one' }
const id: OptionSpec = { kind: 'text', describe: 'Ask again with the id of an earlier try' }

export const closeCommand: NodeCommand = {
  usage: 'close <auction>',
  summary: 'Close an auction of yours; the leader wins, if the reserve is met.',
  positionals,
  options: { id, ack: ackOption },
  examples: [['close auc_7k2m', 'sell to the leader']],
  async run(session, args) {
    const commandId = args.commandId() ?? session.newCommandId('cmd')
    const request = { auction: args.need('auction'), commandId, ...args.ack() }
    const api = await session.api()
    return reportResult(session, await send(session, args, commandId, () => api.close(request)), closedLines)
  },
}

export const cancelCommand: NodeCommand = {
  usage: 'cancel <auction>',
  summary: 'Call an auction of yours off, before its first bid.',
  positionals,
  options: { reason: { kind: 'text', describe: 'Shown to everybody' }, id, ack: ackOption },
  examples: [['cancel auc_7k2m --reason "broken in transport"', 'with a reason']],
  async run(session, args) {
    const commandId = args.commandId() ?? session.newCommandId('cmd')
    const reason = args.text('reason')
    const request = {
      auction: args.need('auction'),
      commandId,
      ...args.ack(),
      ...(reason === undefined ? {} : { reason }),
    }
    const api = await session.api()
    const result = await send(session, args, commandId, () => api.cancel(request))
    return reportResult(session, result, ({ lot }) => [
      `Cancelled ${lot}${reason === undefined ? '' : `: ${oneLine(reason)}`}.`,
    ])
  },
}

export const extendCommand: NodeCommand = {
  usage: 'extend <auction>',
  summary: 'Move the end of an auction of yours to later.',
  positionals,
  options: {
    by: { kind: 'text', describe: 'DURATION past the present end: 10m, 1h30m' },
    to: { kind: 'text', describe: 'TIME, RFC 3339 with a zone' },
    id,
    ack: ackOption,
  },
  examples: [
    ['extend auc_7k2m --by 10m', 'ten minutes more'],
    ['extend auc_7k2m --to 2030-01-31T18:00:00Z', 'until then'],
  ],
  async run(session, args) {
    const byMs = args.durationMs('by')
    const to = args.time('to')
    if ((byMs === undefined) === (to === undefined)) {
      const message = byMs === undefined ? '--by or --to is missing' : '--by and --to exclude each other'
      throw new UsageError(message, { field: 'to', next: 'give one of the two' })
    }
    const commandId = args.commandId() ?? session.newCommandId('cmd')
    const api = await session.api()
    const auction = args.need('auction')
    const end = to === undefined ? { addedMs: byMs ?? 0 } : { closesAt: to }
    const result = await send(session, args, commandId, () => api.extend({ auction, commandId, ...end, ...args.ack() }))
    return reportResult(session, result, ({ lot, auction: view }) => {
      const closesAt = view?.state.closesAt ?? null
      return [
        closesAt === null ? `Extended ${lot}.` : `Extended ${lot}: it ends ${showWhen(closesAt, session.out.look)}.`,
      ]
    })
  },
}

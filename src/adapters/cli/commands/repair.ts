import { AUCTION_ID } from '../../../application/log/ids.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { RepairReport } from '../../../ports/store/repair-report.js'
import { readRunningNode } from '../../system/running-nodes.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import type { Look } from '../render/look.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { ALL, giveUpHeld, takeBackHeld } from './repair-held.js'

export const repairCommand: HostCommand = {
  usage: 'repair',
  audited: (args) => (args.has('give-up') ? null : { act: 'node.repair', in: 'data', auction: args.text('take-back') }),
  summary:
    "Replace a node's damaged database by what can be saved of it (the node must not run), or mend an auction that it holds.",
  options: {
    ...pick('name', 'data'),
    'take-back': {
      kind: 'text',
      describe:
        'Whole id of an own auction: make of its log what other nodes hold. Where the node runs, fetch from them what it has signed and lost (all: of every such auction); where it does not, drop an end that none of them reads',
    },
    'give-up': {
      kind: 'text',
      describe:
        'Whole id of an auction that the running node holds: end it, by an event that everybody sees. Nobody wins',
    },
    reason: { kind: 'text', describe: 'With --give-up: why, for everybody to read' },
    'without-peers': {
      kind: 'flag',
      describe:
        'Go on although members that may hold more of the auction cannot be asked: if one does, it will be a second history',
    },
  },
  examples: [
    ['repair', 'the node "main"'],
    ['repair --name alice', 'another one'],
    [
      'repair --take-back auc_7k2m0000000000000000000000',
      'an auction that peers refuse to go on with, or of which they hold more',
    ],
    ['repair --take-back all', 'after an old backup was restored'],
    ["repair --give-up auc_7k2m0000000000000000000000 --reason 'disk lost'", 'it cannot go on'],
  ],
  notes:
    "The damaged file is kept beside the new one. The node's own auctions are saved where every event and secret can be read and proven; copies of others' come back from peers at the next start. Exit code 0: nothing of the node's own was lost, or nothing was damaged; 1: something was, and it says what.",
  async run(host, args) {
    const { deps, out, settings } = host
    const { values } = settings(args)
    const takeBack = wholeId(args, 'take-back')
    const giveUp = wholeId(args, 'give-up')
    if (giveUp !== undefined || (takeBack !== undefined && readRunningNode(values.data) !== null))
      return heldByNode(host, args, { takeBack, giveUp })
    if (takeBack === ALL) throw notRunning(values.name)
    const result = await deps.repair(values.data, { takeBack })
    out.document(repairJson(result))
    const { paint } = out.look
    out.lines(...unacceptedLines(result, paint))
    if (result.damage === null) {
      const refused = takeBack === undefined ? '' : `; others read all of ${takeBack}, or it is not this node's`
      out.lines(`${oneLine(result.path)} is not damaged${refused}; nothing was done.`)
      return result.unaccepted.length > 0 || takeBack !== undefined ? EXIT.rejected : EXIT.done
    }
    const { saved, lost } = result
    out.lines(
      ...facts([
        ['damage', oneLine(result.damage)],
        ['damaged file', `moved to ${oneLine(result.movedTo ?? '')}`],
        ['own auctions', `${saved.auctions.length} saved, with ${saved.events} events`],
        ['also saved', `${saved.outcomes} answers, ${saved.autoBids} auto-bids, ${saved.receipts} receipts`],
      ]),
      ...lost.auctions.map(({ auctionId, why }) => `${paint.bad('lost')} ${oneLine(auctionId)}: ${oneLine(why)}`),
    )
    if (lost.commits > 0) out.lines(`${lost.commits} rows of the log could not be read, of whatever auction.`)
    if (lost.incomplete.length > 0)
      out.lines(`${paint.warn('incomplete:')} ${lost.incomplete.join(', ')}. Some of these could not be read.`)
    out.lines('Copies of other nodes’ auctions come back from peers when the node starts.')
    return lost.auctions.length + lost.incomplete.length > 0 ? EXIT.rejected : EXIT.done
  },
}

function wholeId(args: Args, option: 'take-back' | 'give-up'): string | undefined {
  const id = args.text(option)
  if (id === undefined || AUCTION_ID.test(id) || (option === 'take-back' && id === ALL)) return id
  throw args.wrong(option, 'must be the whole id of an auction', 'see `vendue status` for it')
}

/** What only the running node can do, with its peers. */
async function heldByNode(
  host: Host,
  args: Args,
  { takeBack, giveUp }: { readonly takeBack: string | undefined; readonly giveUp: string | undefined },
): Promise<ExitCode> {
  if (takeBack !== undefined && giveUp !== undefined)
    throw args.wrong('give-up', 'excludes --take-back', 'give one of them')
  const session = new RpcSession(host, args)
  try {
    const withoutPeers = args.flag('without-peers')
    const reason = args.text('reason')
    if (giveUp !== undefined)
      return await giveUpHeld(session, {
        auction: giveUp,
        withoutPeers,
        ...(reason !== undefined && { reason }),
      })
    return await takeBackHeld(session, takeBack ?? ALL, withoutPeers)
  } finally {
    await session.close()
  }
}

function notRunning(name: string): NodeError {
  return new NodeError('NODE_UNREACHABLE', `no node named "${name}" runs: only a running one can ask its peers`, {
    next: 'start it, and give the same command again',
  })
}

function pick(...names: string[]): NonNullable<HostCommand['options']> {
  return Object.fromEntries(Object.entries(startOptions).filter(([name]) => names.includes(name)))
}

function unacceptedLines({ unaccepted, takenBack }: RepairReport, paint: Look['paint']): string[] {
  const answered = (commands: readonly string[]) =>
    commands.length === 0 ? '' : `; ${commands.length} answered commands are in it: ${commands.join(', ')}`
  return [
    ...unaccepted.map(({ auctionId, seq, why, commands }) =>
      oneLine(`${auctionId} ends from event ${seq} on in what no node reads: ${why}${answered(commands)}`),
    ),
    ...(unaccepted.length > 0 ? ['next: `repair --take-back AUCTION` goes back to what other nodes hold'] : []),
    ...takenBack.map(
      ({ auctionId, seq, commands }) =>
        `${paint.warn('taken back')} ${oneLine(auctionId)} to before event ${seq}${oneLine(answered(commands))}`,
    ),
  ]
}

function repairJson({ path, damage, movedTo, unaccepted, takenBack, saved, lost }: RepairReport) {
  const { autoBids, ...rest } = saved
  const auctions = lost.auctions.map(({ auctionId, why }) => ({ auction_id: auctionId, why }))
  return {
    path,
    damage,
    moved_to: movedTo,
    unaccepted: unaccepted.map(({ auctionId, ...rest }) => ({ auction_id: auctionId, ...rest })),
    taken_back: takenBack.map(({ auctionId, ...rest }) => ({ auction_id: auctionId, ...rest })),
    saved: { ...rest, auto_bids: autoBids },
    lost: { ...lost, auctions },
  }
}

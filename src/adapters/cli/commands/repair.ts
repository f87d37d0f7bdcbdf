import { AUCTION_ID } from '../../../application/log/ids.js'
import type { RepairReport } from '../../../ports/store/repair-report.js'
import { EXIT } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import type { Look } from '../render/look.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'

export const repairCommand: HostCommand = {
  usage: 'repair',
  summary: "Replace a node's damaged database by what can be saved of it. The node must not run.",
  options: {
    ...pick('name', 'data'),
    'take-back': {
      kind: 'text',
      describe: 'Whole id of an own auction that ends in what no other node reads: go back to what they hold',
    },
  },
  examples: [
    ['repair', 'the node "main"'],
    ['repair --name alice', 'another one'],
    ['repair --take-back auc_7k2m0000000000000000000000', 'an auction that peers refuse to go on with'],
  ],
  notes:
    "The damaged file is kept beside the new one. The node's own auctions are saved where every event and secret can be read and proven; copies of others' come back from peers at the next start. Exit code 0: nothing of the node's own was lost, or nothing was damaged; 1: something was, and it says what.",
  async run({ deps, out, settings }, args) {
    const { values } = settings(args)
    const takeBack = args.text('take-back')
    if (takeBack !== undefined && !AUCTION_ID.test(takeBack))
      throw args.wrong('take-back', 'must be the whole id of an auction', 'see `vendue status` for it')
    const result = await deps.repair(values.data, { takeBack })
    out.document(repairJson(result))
    const { paint } = out.look
    out.lines(...unacceptedLines(result, paint))
    if (result.damage === null) {
      const refused =
        takeBack === undefined ? '' : `; others read all of ${takeBack}, or it is not this node's`
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
      ...lost.auctions.map(
        ({ auctionId, why }) => `${paint.bad('lost')} ${oneLine(auctionId)}: ${oneLine(why)}`,
      ),
    )
    if (lost.commits > 0) out.lines(`${lost.commits} rows of the log could not be read, of whatever auction.`)
    if (lost.incomplete.length > 0)
      out.lines(
        `${paint.warn('incomplete:')} ${lost.incomplete.join(', ')}. Some of these could not be read.`,
      )
    out.lines('Copies of other nodes’ auctions come back from peers when the node starts.')
    return lost.auctions.length + lost.incomplete.length > 0 ? EXIT.rejected : EXIT.done
  },
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
    ...(unaccepted.length > 0
      ? ['next: `repair --take-back AUCTION` goes back to what other nodes hold']
      : []),
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

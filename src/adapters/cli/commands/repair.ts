import type { RepairReport } from '../../../ports/store/repair-report.js'
import { EXIT } from '../parse/exit-codes.js'
import { startOptions } from '../parse/node-options.js'
import { facts } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'

export const repairCommand: HostCommand = {
  usage: 'repair',
  summary: "Replace a node's damaged database by what can be saved of it. The node must not run.",
  options: pick('name', 'data'),
  examples: [
    ['repair', 'the node "main"'],
    ['repair --name alice', 'another one'],
  ],
  notes:
    "The damaged file is kept beside the new one. The node's own auctions are saved where every event and secret can be read and proven; copies of others' come back from peers at the next start. Exit code 0: nothing of the node's own was lost, or nothing was damaged; 1: something was, and it says what.",
  async run({ deps, out, settings }, args) {
    const { values } = settings(args)
    const result = await deps.repair(values.data)
    out.document(repairJson(result))
    if (result.damage === null) {
      out.lines(`${oneLine(result.path)} is not damaged; nothing was done.`)
      return EXIT.done
    }
    const { saved, lost } = result
    const { paint } = out.look
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

function repairJson({ path, damage, movedTo, saved, lost }: RepairReport) {
  const { autoBids, ...rest } = saved
  const auctions = lost.auctions.map(({ auctionId, why }) => ({ auction_id: auctionId, why }))
  return {
    ...{ path, damage, moved_to: movedTo },
    saved: { ...rest, auto_bids: autoBids },
    lost: { ...lost, auctions },
  }
}

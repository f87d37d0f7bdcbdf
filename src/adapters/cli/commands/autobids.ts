import { autoBidJson } from '../../../application/gateway/json-shapes.js'
import type { NodeCommand } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import { autoBidTable, nameAuction } from '../render/auction-text.js'

export const autoBidsCommand: NodeCommand = {
  usage: 'autobids',
  summary: 'List what your node bids on for you (--up-to).',
  examples: [['autobids', 'all of them, and how they stand']],
  async run({ api, ids, out }) {
    const views = await (await api()).autoBids()
    out.document({ auto_bids: views.map(autoBidJson) })
    if (views.length === 0) out.lines('Your node bids on nothing for you.')
    else
      out.lines(
        ...autoBidTable(
          views,
          ids.ofPage(
            views.map(({ autoBid }) => autoBid.auctionId),
            false,
          ),
          out.look,
        ),
      )
    return EXIT.done
  },
}

export const autoBidStopCommand: NodeCommand = {
  usage: 'autobid-stop <auction>',
  summary: 'Stop your node from bidding for you; bids that were placed stay.',
  positionals: { auction: 'Id of the auction, or the start of one' },
  examples: [['autobid-stop auc_7k2m', 'no further steps']],
  async run({ api, ids, out }, args) {
    const view = await (await api()).stopAutoBid({ auction: args.need('auction') })
    out.document(autoBidJson(view))
    if (out.json) return EXIT.done
    const shortId = await ids.of(view.autoBid.auctionId)
    out.lines(`Your node no longer bids on ${nameAuction(view.auction, shortId)} for you.`)
    return EXIT.done
  },
}

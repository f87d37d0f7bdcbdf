import { autoBidJson } from '../../../application/gateway/json-shapes.js'
import type { NodeCommand } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import { autoBidTable, nameAuction } from '../render/auction-text.js'
import { sayAnswer } from '../render/say-answer.js'

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
    const { auctionId, state } = view.autoBid
    await sayAnswer(out, { auction_id: auctionId, state }, async () => {
      if (out.json) return out.document(autoBidJson(view))
      const lot = nameAuction(view.auction, await ids.of(auctionId))
      out.lines(`Your node no longer bids on ${lot} for you.`)
    })
    return EXIT.done
  },
}

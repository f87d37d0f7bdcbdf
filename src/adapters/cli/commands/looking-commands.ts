import { auctionJson, bidJson, syncJson } from '../../../application/gateway/json-shapes.js'
import { AUCTION_PHASES, type AuctionPhase } from '../../../domain/auction.js'
import type { AuctionView } from '../../../ports/node/node-answers.js'
import type { NodeApi } from '../../../ports/node/node-api.js'
import type { BidRecord } from '../../../ports/store/auction-repository.js'
import type { Args } from '../parse/args.js'
import type { NodeCommand } from '../parse/command.js'
import { EXIT } from '../parse/exit-codes.js'
import { auctionTable, auctionText, bidTable, nameAuction } from '../render/auction-text.js'
import { syncMark } from '../render/sync-text.js'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 1_000
/** The most that `--all` prints: a terminal is no place for more. */
const MAX_ALL = 100_000

const STATUS_RULE = `must be one or more of ${AUCTION_PHASES.join(', ')}, separated by commas, or all`

export const listCommand: NodeCommand = {
  usage: 'list',
  summary: 'List the auctions that the node knows, newest first.',
  options: {
    status: {
      kind: 'text',
      describe: 'open, scheduled, ended, closed, cancelled (several with commas), or all',
      suggest: [...AUCTION_PHASES, 'all'],
    },
    search: { kind: 'text', describe: 'Part of the title' },
    limit: { kind: 'text', describe: `At most so many, ${DEFAULT_LIMIT} otherwise` },
    all: { kind: 'flag', describe: 'No limit' },
  },
  examples: [
    ['list', 'the newest 50'],
    ['list --status open --search map', 'open ones with "map" in the title'],
    ['list --all --json', 'all, for programs'],
  ],
  async run({ api, ids, out, prefix, reach }, args) {
    const statuses = statusesOf(args)
    const text = args.text('search')
    const query = { ...(statuses && { statuses }), ...(text === undefined ? {} : { text }) }
    const limit = wanted(args)
    const node = await api()
    const { auctions, more } = await listAuctions(node, query, limit)
    const { sync } = await node.status()
    out.document({ auctions: auctions.map(auctionJson), more, sync: syncJson(sync) })
    if (auctions.length === 0) {
      out.lines(
        statuses || text !== undefined
          ? 'No auction is like that.'
          : `No auctions yet. Open one: ${prefix}open TITLE --start 75 --currency USDT${reach}`,
        ...syncMark(sync),
      )
      return EXIT.done
    }
    const complete = !more && !statuses && text === undefined
    const short = ids.ofPage(
      auctions.map(({ auctionId }) => auctionId),
      complete,
    )
    out.lines(...auctionTable(auctions, short, out.look))
    if (more) out.lines(out.look.paint.dim('there are more: see them with --limit or --all'))
    out.lines(...syncMark(sync))
    return EXIT.done
  },
}

function statusesOf(args: Args): AuctionPhase[] | undefined {
  const text = args.text('status')
  if (text === undefined || text === 'all') return undefined
  const words = text.split(',').map((word) => word.trim().toLowerCase())
  const known = words.filter((word): word is AuctionPhase => (AUCTION_PHASES as readonly string[]).includes(word))
  if (known.length !== words.length) throw args.wrong('status', STATUS_RULE)
  return known
}

function wanted(args: Args): number {
  return args.int('limit', 1, MAX_LIMIT) ?? (args.flag('all') ? MAX_ALL : DEFAULT_LIMIT)
}

async function listAuctions(
  api: NodeApi,
  query: { statuses?: AuctionPhase[]; text?: string },
  count: number,
): Promise<{ auctions: AuctionView[]; more: boolean }> {
  const auctions: AuctionView[] = []
  let cursor: string | null = null
  do {
    const limit = Math.min(MAX_LIMIT, count - auctions.length)
    const page: Awaited<ReturnType<NodeApi['list']>> = await api.list({
      ...query,
      limit,
      ...(cursor === null ? {} : { cursor }),
    })
    auctions.push(...page.auctions)
    cursor = page.next
  } while (cursor !== null && auctions.length < count)
  return { auctions, more: cursor !== null }
}

const auction = 'Id of the auction, or the start of one'

export const showCommand: NodeCommand = {
  usage: 'show <auction>',
  summary: 'Show one auction: price, terms, and how you stand.',
  positionals: { auction },
  examples: [['show auc_7k2m', 'everything about it']],
  async run({ api, ids, out }, args) {
    const reference = args.need('auction')
    const node = await api()
    const view = await node.show({ auction: reference })
    const { sync } = await node.status()
    out.document({ ...auctionJson(view), sync: syncJson(sync) })
    if (out.json) return EXIT.done
    out.lines(...auctionText(view, await ids.of(view.auctionId), out.look), ...syncMark(sync))
    return EXIT.done
  },
}

export const historyCommand: NodeCommand = {
  usage: 'history <auction>',
  summary: 'List the accepted bids of an auction, newest first.',
  positionals: { auction },
  options: {
    limit: { kind: 'text', describe: `At most so many, ${DEFAULT_LIMIT} otherwise` },
    before: { kind: 'text', describe: 'Bids before this seq' },
    all: { kind: 'flag', describe: 'No limit' },
  },
  examples: [
    ['history auc_7k2m', 'the latest 50 bids'],
    ['history auc_7k2m --before 120', 'those before seq 120'],
  ],
  async run({ api, ids, out }, args) {
    const before = args.int('before', 1, Number.MAX_SAFE_INTEGER)
    const found = await listBids(await api(), args.need('auction'), before, wanted(args))
    const { currency } = found.auction.state.terms
    out.document({
      auction: auctionJson(found.auction),
      bids: found.bids.map((bid) => bidJson(bid, currency)),
      more: found.more,
    })
    if (out.json) return EXIT.done
    const lot = nameAuction(found.auction, await ids.of(found.auction.auctionId))
    out.lines(out.look.paint.bold(lot))
    if (found.bids.length === 0) out.lines('no bids')
    else out.lines(...bidTable(found.bids, found.auction, out.look))
    if (found.more) {
      out.lines(out.look.paint.dim(`there are more: --before ${found.bids.at(-1)?.seq}, or --all`))
    }
    return EXIT.done
  },
}

async function listBids(
  api: NodeApi,
  reference: string,
  before: number | undefined,
  count: number,
): Promise<{ auction: AuctionView; bids: BidRecord[]; more: boolean }> {
  const bids: BidRecord[] = []
  let beforeSeq = before
  for (;;) {
    const page = await api.history({
      auction: reference,
      limit: Math.min(MAX_LIMIT, count - bids.length),
      ...(beforeSeq === undefined ? {} : { beforeSeq }),
    })
    bids.push(...page.bids)
    if (page.next === null || bids.length >= count) return { auction: page.auction, bids, more: page.next !== null }
    beforeSeq = page.next
  }
}

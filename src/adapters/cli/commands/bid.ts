import { autoBidJson } from '../../../application/gateway/json-shapes.js'
import { NodeError } from '../../../ports/node/node-error.js'
import type { Args } from '../parse/args.js'
import { ackOption, type NodeCommand, type OptionSpec, type Session } from '../parse/command.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { UsageError } from '../parse/usage-error.js'
import { money, nameAuction, standing } from '../render/auction-text.js'
import { bidLines, boughtLines, reportResult } from '../render/outcome-text.js'
import { sayAnswer } from '../render/say-answer.js'
import { send } from '../session/outcome-unknown.js'

const auction = 'Id of the auction, or the start of one'
const id: OptionSpec = { kind: 'text', describe: 'Ask again with the id of an earlier try' }

export const bidCommand: NodeCommand = {
  usage: 'bid <auction> [amount]',
  summary: 'Bid on an auction: AMOUNT, --max, --up-to or --buy-now.',
  positionals: { auction, amount: 'Bid this amount, openly and at once' },
  options: {
    max: {
      kind: 'text',
      describe: 'Leave a maximum with the home of the auction',
      group: 'Instead of AMOUNT:',
    },
    'up-to': { kind: 'text', describe: 'Let your own node bid, step by step', group: 'Instead of AMOUNT:' },
    'buy-now': { kind: 'flag', describe: 'Buy at the buy-now price', group: 'Instead of AMOUNT:' },
    id,
    ack: ackOption,
  },
  examples: [
    ['bid auc_7k2m 80', 'bid 80'],
    ['bid auc_7k2m --max 120', 'a maximum that the home bids up to'],
    ['bid auc_7k2m --up-to 120', 'the same, by your own node'],
    ['bid auc_7k2m --buy-now', 'buy it at once'],
  ],
  notes: `--max is kept by the auction's home, which answers other bids for you: it works while you are away. The home, which is the seller's node, sees it; nobody else does while the auction runs.\n\n--up-to is kept by your own node, which bids for you step by step: nobody sees the limit, but your node must be running.`,
  run: runBid,
}

async function runBid(session: Session, args: Args): Promise<ExitCode> {
  const ways = ['amount', 'max', 'up-to', 'buy-now'].filter((way) =>
    way === 'buy-now' ? args.flag(way) : args.has(way),
  )
  const [way] = ways
  if (ways.length !== 1 || way === undefined) {
    const shown = ways.map((name) => args.label(name)).join(' and ')
    const message = ways.length === 0 ? 'AMOUNT is missing' : `${shown} exclude each other: a bid is of one kind`
    throw new UsageError(message, {
      field: ways[1] ?? 'amount',
      next: 'give one of AMOUNT, --max, --up-to and --buy-now',
    })
  }
  if (way === 'buy-now') return buy(session, args)
  if (way === 'up-to') {
    if (args.has('id')) {
      throw new UsageError('--up-to takes no --id', {
        field: 'id',
        next: 'just repeat it: it sets the limit, no more',
      })
    }
    return bidUpTo(session, args, way)
  }
  return placeBid(session, args, way === 'max' ? 'max' : 'amount', way)
}

async function placeBid(session: Session, args: Args, way: 'amount' | 'max', amountField: string): Promise<ExitCode> {
  const kind: 'plain' | 'max' = way === 'max' ? 'max' : 'plain'
  const amount = args.need(amountField)
  const commandId = args.commandId() ?? session.newCommandId('bid')
  const api = await session.api()
  const request = { auction: args.need('auction'), commandId, kind, amount, ...args.ack() }
  const option = args.label(amountField)
  const result = await send(session, args, commandId, () => named('amount', option, api.bid(request)))
  return reportResult(session, result, (words) => bidLines(session, words, kind))
}

async function buy(session: Session, args: Args): Promise<ExitCode> {
  const commandId = args.commandId() ?? session.newCommandId('bid')
  const api = await session.api()
  const request = { auction: args.need('auction'), commandId, ...args.ack() }
  const result = await send(session, args, commandId, () => api.buyNow(request))
  return reportResult(session, result, (words) => boughtLines(session, words))
}

async function bidUpTo(session: Session, args: Args, limitField: string): Promise<ExitCode> {
  const { out, ids } = session
  const api = await session.api()
  const request = { auction: args.need('auction'), limit: args.need(limitField) }
  const view = await named('limit', args.label(limitField), api.autoBid(request))
  const { auctionId, state } = view.autoBid
  await sayAnswer(out, { auction_id: auctionId, state }, async () => {
    if (out.json) return out.document(autoBidJson(view))
    const lot = nameAuction(view.auction, await ids.of(auctionId))
    const now = standing(view.auction, out.look)
    out.lines(
      `Your node bids on ${lot} for you, step by step up to ${money(view.auction, view.autoBid.limit)}, while it runs.`,
      ...(now === '' ? [] : [`you are ${now}`]),
    )
  })
  return EXIT.done
}

/** Nodes do not know which option an amount came from; its user does. */
async function named<T>(field: string, option: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof NodeError) || error.code !== 'INVALID_INPUT' || error.field !== field) throw error
    const message = error.message.startsWith(`${field} `) ? option + error.message.slice(field.length) : error.message
    throw new UsageError(message, {
      field: option.replace(/^--/, ''),
      cause: error,
      ...(error.next && { next: error.next }),
    })
  }
}

const amount = 'In the currency of the auction'

/** Short forms for the client's prompt. */
export const promptBidCommands: readonly NodeCommand[] = [
  {
    usage: 'buy <auction>',
    summary: 'Buy a lot at its buy-now price.',
    positionals: { auction },
    options: { id, ack: ackOption },
    examples: [['buy auc_7k2m', 'buy it at once']],
    run: buy,
  },
  {
    usage: 'max <auction> <amount>',
    summary: 'Leave a maximum with the home of the auction, which bids for you up to it.',
    positionals: { auction, amount },
    options: { id, ack: ackOption },
    examples: [['max auc_7k2m 120', 'the same as: bid auc_7k2m --max 120']],
    run: (session, args) => placeBid(session, args, 'max', 'amount'),
  },
  {
    usage: 'upto <auction> <amount>',
    summary: 'Let your own node bid for you, step by step, while it runs.',
    positionals: { auction, amount },
    examples: [['upto auc_7k2m 120', 'the same as: bid auc_7k2m --up-to 120']],
    run: (session, args) => bidUpTo(session, args, 'amount'),
  },
]

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'
import { Statistics, type StatOverview, type StatRequest } from '../../../application/analytics/statistics.js'
import { isTimeZone, STEP_SIZES, type StepSize } from '../../../application/analytics/time-steps.js'
import { bidderJson, lotJson, overviewJson } from '../../../application/gateway/stat-shapes.js'
import { STAT_TABLES, type StatTable, TABLE_COLUMNS, tableRows } from '../../../application/gateway/stat-tables.js'
import { formatMoney } from '../../../domain/money.js'
import type { SaleSum } from '../../../ports/store/stat-queries.js'
import { csvText, ndjsonText } from '../../system/table-text.js'
import type { Args } from '../parse/args.js'
import { EXIT, type ExitCode } from '../parse/exit-codes.js'
import { databaseOptions, reachOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { facts, table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { Host, HostCommand } from '../session/host.js'
import { RpcSession } from '../session/node-session.js'
import { databaseOf } from './analytics.js'

const WHAT = ['overview', 'lots', 'bidders', ...STAT_TABLES] as const

export const statsCommand: HostCommand = {
  usage: 'stats [what]',
  audited: 'changes nothing',
  summary: 'Say how auctions went, for any time; or write a table for a spreadsheet.',
  positionals: { what: 'overview (otherwise), lots, bidders; or a table to take away: auctions, bids, results' },
  options: {
    from: { kind: 'text', describe: 'TIME; the first event otherwise' },
    to: { kind: 'text', describe: 'TIME, not included; now otherwise' },
    by: { kind: 'text', describe: 'minute, hour or day; what suits the time otherwise', suggest: STEP_SIZES },
    'time-zone': { kind: 'text', describe: 'In which hours and days begin, such as Europe/Berlin; yours otherwise' },
    auction: { kind: 'text', describe: 'Of one auction: its id, or the start of it' },
    seller: { kind: 'text', describe: 'Of one seller: their id' },
    ndjson: { kind: 'flag', describe: 'Write a table as lines of JSON; as CSV otherwise' },
    out: { kind: 'text', describe: 'File for a table; stdout otherwise' },
    ...reachOptions,
    ...databaseOptions,
  },
  examples: [
    ['stats --by day --time-zone Europe/Berlin', 'day by day'],
    ['stats results --out results.csv', 'who bought what for how much, for a spreadsheet'],
  ],
  notes: 'TIME is RFC 3339 with a zone: 2030-01-31T18:00:00Z or 2030-01-31T18:00+01:00.',
  async run(host, args) {
    const what = (args.text('what') ?? 'overview') as (typeof WHAT)[number]
    if (!WHAT.includes(what)) throw args.wrong('what', `must be one of ${WHAT.join(', ')}`)
    const request = requestOf(host, args)
    const session = new RpcSession(host, args)
    const queries = await host.deps.openStats(databaseOf({ host, args, session }))
    try {
      const statistics = new Statistics({ queries, clock: { now: host.io.now, monotonicMs: () => performance.now() } })
      switch (what) {
        case 'overview':
          return sayOverview(host, await statistics.overview(request))
        case 'lots':
          return sayLots(host, statistics, request)
        case 'bidders':
          return sayBidders(host, statistics, request)
        default:
          return await writeTable(host, args, { statistics, request, what })
      }
    } finally {
      await queries.close()
      await session.close()
    }
  },
}

function requestOf({ out }: Host, args: Args): StatRequest {
  const by = args.text('by') as StepSize | undefined
  if (by !== undefined && !STEP_SIZES.includes(by)) throw args.wrong('by', `must be ${STEP_SIZES.join(', ')}`)
  const timeZone = args.text('time-zone') ?? out.look.timeZone
  if (!isTimeZone(timeZone)) throw args.wrong('time-zone', 'must be a time zone of the IANA database')
  const [auction, seller] = [args.text('auction'), args.text('seller')]
  return { from: args.time('from'), to: args.time('to'), by, timeZone, auction, seller }
}

function sayOverview({ out }: Host, overview: StatOverview): ExitCode {
  const { totals, medianFirstBidMs, steps, timeZone, by } = overview
  out.document(overviewJson(overview))
  const ended = totals.sold + totals.unsold
  out.lines(
    ...facts([
      ['opened', `${totals.opened} auctions`],
      ['bids', `${totals.bids} by ${totals.bidders} bidders, on ${totals.auctionsBidOn} auctions`],
      ['extensions', String(totals.extensions)],
      ['sold', ended === 0 ? '0' : `${totals.sold} of ${ended} (${Math.round((100 * totals.sold) / ended)} %)`],
      ['cancelled', String(totals.cancelled)],
      ['revenue', revenue(totals.sales) || '-'],
      ['first bid', medianFirstBidMs === null ? '-' : `after ${Math.round(medianFirstBidMs / 1_000)} s (median)`],
    ]),
    '',
  )
  const format = new Intl.DateTimeFormat('sv', {
    timeZone,
    dateStyle: 'short',
    ...(by !== 'day' && { timeStyle: 'short' }),
  })
  const busy = steps.filter(
    ({ opened, bids, sold, unsold, cancelled }) => opened + bids + sold + unsold + cancelled > 0,
  )
  out.lines(
    ...table(busy, [
      { title: `${by.toUpperCase()} (${timeZone})`, cell: ({ from }) => format.format(from) },
      { title: 'OPENED', cell: ({ opened }) => String(opened), align: 'right' },
      { title: 'BIDS', cell: ({ bids }) => String(bids), align: 'right' },
      { title: 'BIDDERS', cell: ({ bidders }) => String(bidders), align: 'right' },
      { title: 'SOLD', cell: ({ sold }) => String(sold), align: 'right' },
      { title: 'NOT SOLD', cell: ({ unsold }) => String(unsold), align: 'right' },
      { title: 'REVENUE', cell: ({ sales }) => revenue(sales), align: 'right' },
    ]),
  )
  return EXIT.done
}

async function sayLots({ out }: Host, statistics: Statistics, request: StatRequest): Promise<ExitCode> {
  const { lots, next } = await statistics.lots(request, {})
  out.document({ auctions: lots.map(lotJson), more: next !== null })
  out.lines(
    ...table(lots, [
      { title: 'AUCTION', cell: ({ auctionId }) => auctionId.slice(0, 12) },
      { title: 'TITLE', cell: ({ title }) => oneLine(title).slice(0, 40) },
      { title: 'BIDS', cell: ({ bids }) => String(bids), align: 'right' },
      { title: 'BIDDERS', cell: ({ bidders }) => String(bidders), align: 'right' },
      {
        title: 'PRICE',
        cell: ({ price, currency }) => (price === null ? '-' : formatMoney(price, currency)),
        align: 'right',
      },
      { title: 'RESULT', cell: ({ ending }) => (ending === null ? 'running' : (ending.noSale ?? 'sold')) },
    ]),
  )
  if (next !== null) out.lines('there are more: name a time with --from and --to, or take the table `auctions`')
  return EXIT.done
}

async function sayBidders({ out }: Host, statistics: Statistics, request: StatRequest): Promise<ExitCode> {
  const bidders = await statistics.bidders(request)
  out.document({ bidders: bidders.map(bidderJson) })
  out.lines(
    ...table(bidders, [
      { title: 'BIDDER', cell: ({ bidder }) => oneLine(bidder.name) },
      { title: 'BIDS', cell: ({ bids }) => String(bids), align: 'right' },
      { title: 'AUCTIONS', cell: ({ auctions }) => String(auctions), align: 'right' },
      { title: 'WON', cell: ({ won }) => revenue(won), align: 'right' },
    ]),
  )
  return EXIT.done
}

async function writeTable(
  { io, out }: Host,
  args: Args,
  { statistics, request, what }: { statistics: Statistics; request: StatRequest; what: StatTable },
): Promise<ExitCode> {
  const file = args.text('out')
  if (out.json && file === undefined)
    throw new UsageError('--json needs --out here: a table is text of its own', { field: 'json', next: 'use --ndjson' })
  const rows = tableRows(statistics, what, request)
  const text = args.flag('ndjson') ? ndjsonText(rows) : csvText(rows, TABLE_COLUMNS[what])
  const stream = file === undefined ? null : createWriteStream(file)
  try {
    if (stream !== null) await once(stream, 'open')
  } catch (cause) {
    throw new UsageError(`cannot write ${file}: ${(cause as Error).message}`, { field: 'out', cause })
  }
  for await (const part of text) {
    io.ended.throwIfAborted()
    if (stream === null) io.stdout.write(part)
    else if (!stream.write(part)) await once(stream, 'drain', { signal: io.ended })
  }
  if (stream === null) return EXIT.done
  stream.end()
  await finished(stream)
  out.document({ file, table: what })
  out.lines(`Wrote ${what} to ${oneLine(file ?? '')}.`)
  return EXIT.done
}

function revenue(sales: readonly Pick<SaleSum, 'currency' | 'hammer'>[]): string {
  return sales.map(({ hammer, currency }) => formatMoney(hammer, currency)).join(', ')
}

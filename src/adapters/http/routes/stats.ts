import { Readable } from 'node:stream'
import { z } from 'zod'
import type { StatRequest } from '../../../application/analytics/statistics.js'
import { MAX_LOTS } from '../../../application/analytics/statistics.js'
import { isTimeZone, STEP_SIZES } from '../../../application/analytics/time-steps.js'
import {
  bidderJson,
  cursorOfLots,
  lotJson,
  lotsAfter,
  overviewJson,
  pricesJson,
  sellersJson,
} from '../../../application/gateway/stat-shapes.js'
import { STAT_TABLES, TABLE_COLUMNS, TABLE_FORMATS, tableRows } from '../../../application/gateway/stat-tables.js'
import { auctionReference, id, timeIn } from '../../../application/log/input-schemas.js'
import { csvText, ndjsonText } from '../../system/table-text.js'
import type { ServingDeps } from '../serving-deps.js'
import {
  statBiddersSchema,
  statLotsSchema,
  statOverviewSchema,
  statPricesSchema,
  statSellersSchema,
} from '../stat-resources.js'
import { type GatewayApp, limitIn, problems, type RouteDeps, streamOfText, whoQuery } from './route.js'

const frameQuery = {
  ...whoQuery,
  from: timeIn.exactOptional().meta({ description: 'RFC 3339; the first event otherwise.' }),
  to: timeIn.exactOptional().meta({ description: 'RFC 3339, not included; now otherwise.' }),
  auction: auctionReference.exactOptional(),
  seller: id.exactOptional().meta({ description: 'Sellers get the numbers of their own auctions anyway.' }),
}
const stepsQuery = {
  ...frameQuery,
  by: z.enum(STEP_SIZES).exactOptional().meta({ description: 'What suits the time otherwise.' }),
  time_zone: z
    .string()
    .max(64)
    .refine(isTimeZone, 'must be a time zone of the IANA database, such as Europe/Berlin')
    .exactOptional()
    .meta({ description: 'In which hours and days begin; UTC otherwise.' }),
}
const lotsCursor = z.string().refine((text) => lotsAfter(text) !== null, 'must be the `next` of a page before')

type Asked = {
  readonly from?: number
  readonly to?: number
  readonly auction?: string
  readonly seller?: string
  readonly by?: (typeof STEP_SIZES)[number]
  readonly time_zone?: string
}

/** The numbers about auctions, and the tables to take away. */
export function statRoutes(app: GatewayApp, { statCalls, guard }: RouteDeps & Pick<ServingDeps, 'statCalls'>): void {
  const tags = ['statistics']

  app.get(
    '/api/v1/stats',
    {
      schema: {
        tags,
        summary: 'What happened: totals, and steps of a minute, an hour or a day',
        description: 'Sellers see their own auctions, admins all; where names are taken on trust, everybody sees all.',
        querystring: z.strictObject(stepsQuery),
        response: { 200: statOverviewSchema, ...problems },
      },
    },
    async ({ caller, query }) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      return overviewJson(await statistics.overview(request))
    },
  )

  app.get(
    '/api/v1/stats/auctions',
    {
      schema: {
        tags,
        summary: 'Auctions that ran within a time, each with the numbers of its whole life',
        querystring: z.strictObject({ ...frameQuery, cursor: lotsCursor.exactOptional(), limit: limitIn }),
        response: { 200: statLotsSchema, ...problems },
      },
    },
    async ({ caller, query }) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      const { cursor, limit = MAX_LOTS } = query
      const { lots, next } = await statistics.lots(request, { limit, after: cursor ? lotsAfter(cursor) : null })
      return { auctions: lots.map(lotJson), next: cursorOfLots(next) }
    },
  )

  app.get(
    '/api/v1/stats/bidders',
    {
      schema: {
        tags,
        summary: 'The most active bidders, by the names that they bid under',
        querystring: z.strictObject({ ...frameQuery, limit: limitIn }),
        response: { 200: statBiddersSchema, ...problems },
      },
    },
    async ({ caller, query }) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      return { bidders: (await statistics.bidders(request, query.limit)).map(bidderJson) }
    },
  )

  app.get(
    '/api/v1/stats/sellers',
    {
      schema: {
        tags,
        summary: 'What each seller sold, day by day',
        querystring: z.strictObject(stepsQuery),
        response: { 200: statSellersSchema, ...problems },
      },
    },
    async ({ caller, query }) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      return sellersJson(await statistics.sellers(request))
    },
  )

  app.get(
    '/api/v1/stats/prices',
    {
      schema: {
        tags,
        summary: 'The price of an auction over time',
        querystring: z.strictObject({ ...stepsQuery, auction: auctionReference }),
        response: { 200: statPricesSchema, ...problems },
      },
    },
    async ({ caller, query }) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      return pricesJson(await statistics.prices(request))
    },
  )

  app.get(
    '/api/v1/stats/tables/:table',
    {
      schema: {
        tags,
        summary: 'A table to take away: auctions, bids or results',
        description:
          'Streamed. `csv`: UTF-8 with a byte order mark and CRLF, an apostrophe before text that a spreadsheet would run as a formula. `ndjson`: one JSON object a line.',
        params: z.object({ table: z.enum(STAT_TABLES) }),
        querystring: z.strictObject({ ...frameQuery, format: z.enum(TABLE_FORMATS).exactOptional() }),
        response: {
          200: {
            description: 'The table',
            content: { 'text/csv': { schema: streamOfText }, 'application/x-ndjson': { schema: streamOfText } },
          },
          ...problems,
        },
      },
    },
    async ({ caller, address, query, params: { table }, method }, reply) => {
      const { statistics, request } = statCalls.seenBy(caller, requestOf(query))
      const { format = 'csv' } = query
      // What cannot be answered is a problem, not a stream that breaks off.
      await statistics.check(request)
      reply
        .type(format === 'csv' ? 'text/csv; charset=utf-8; header=present' : 'application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="${table}.${format}"`)
        .header('cache-control', 'no-store')
      // Nothing is read for a request for the headers alone.
      if (method === 'HEAD') return reply.send(Readable.from([]))
      const download = guard?.hold('downloads', { address, accountId: caller?.party.id })
      download?.add(1)
      reply.raw.once('close', () => download?.release())
      const rows = tableRows(statistics, table, request)
      return reply.send(Readable.from(format === 'csv' ? csvText(rows, TABLE_COLUMNS[table]) : ndjsonText(rows)))
    },
  )
}

function requestOf({ from, to, auction, seller, by, time_zone: timeZone }: Asked): StatRequest {
  return { from, to, auction, seller, by, timeZone }
}

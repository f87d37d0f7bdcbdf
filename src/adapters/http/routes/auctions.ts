import { z } from 'zod'
import {
  amountIn,
  bidderNames,
  currencyIn,
  cursorIn,
  descriptionIn,
  durationMs,
  id,
  incrementIn,
  picturesIn,
  searchIn,
  timeIn,
  titleIn,
} from '../../../application/log/input-schemas.js'
import { AUCTION_PHASES } from '../../../domain/auction.js'
import type { OpenRequest } from '../../../ports/node/node-requests.js'
import { RequestError } from '../problem.js'
import { auctionResource, auctionSchema, partOfAuction } from '../resources.js'
import {
  acceptedResource,
  auctionParams,
  type GatewayApp,
  idempotencyHeaders,
  keyOf,
  limitIn,
  problems,
  type RouteDeps,
  type RouteOptions,
  sellerOf,
  viewer,
  whoBody,
  whoQuery,
} from './route.js'

const DEFAULT_TITLE = 'Untitled lot'

const openBody = z
  .strictObject({
    ...whoBody,
    title: titleIn.exactOptional(),
    description: descriptionIn.exactOptional(),
    currency: currencyIn.exactOptional(),
    start_price: amountIn.exactOptional(),
    starting_bid: amountIn.exactOptional(),
    reserve: amountIn.exactOptional(),
    increment: incrementIn.exactOptional(),
    buy_now: amountIn.exactOptional(),
    opens_at: timeIn.nullable().exactOptional(),
    start_time: timeIn.nullable().exactOptional(),
    closes_at: timeIn.nullable().exactOptional(),
    end_time: timeIn.nullable().exactOptional(),
    closes_in_seconds: z.number().positive().max(1e9).exactOptional(),
    soft_close: z
      .strictObject({
        window_ms: durationMs,
        extension_ms: durationMs,
        hard_stop_at: timeIn.nullable().exactOptional(),
      })
      .nullable()
      .exactOptional(),
    bidder_names: bidderNames.exactOptional(),
    gives_time_back: z.boolean().exactOptional(),
    pictures: picturesIn.exactOptional(),
  })
  .meta({
    description:
      'Terms. `starting_bid`, `start_time` (one that has passed: at once) and `end_time` are other names of `start_price`, `opens_at` and `closes_at`. `bidder_names: pseudonyms` shows accounts by names made for this auction; bidders with nodes of their own keep theirs. `gives_time_back` (true): an end that falls within a time in which nobody could bid is moved. `pictures`: hashes of what was added at `/api/v1/pictures`, the first one first.',
    examples: [
      {
        title: 'A chair',
        start_price: '20.00',
        currency: 'EUR',
        reserve: '60.00',
        closes_in_seconds: 7_200,
        soft_close: { window_ms: 30_000, extension_ms: 30_000 },
      },
    ],
  })
type OpenBody = z.output<typeof openBody>

const pageQuery = { cursor: cursorIn.exactOptional(), limit: limitIn }
/** The most auctions in one answer of `GET /auctions`. */
const PLAIN_LIST_PAGE = 100

const listQuery = z.strictObject({
  ...whoQuery,
  status: z
    .string()
    .transform((text) => text.split(',').map((word) => word.trim()))
    .pipe(
      z.array(z.enum(AUCTION_PHASES, { error: `must be of ${AUCTION_PHASES.join(', ')}` })).max(AUCTION_PHASES.length),
    )
    .exactOptional(),
  q: searchIn.exactOptional(),
  seller: id.exactOptional(),
  bidder: id.exactOptional(),
  sort: z.enum(['newest', 'ending']).exactOptional(),
  ...pageQuery,
})

const auctionList = z.object({ auctions: z.array(auctionSchema), next: z.string().nullable() })

/** Opening and finding auctions. */
export function auctionRoutes(app: GatewayApp, deps: RouteDeps, options: RouteOptions): void {
  const { api } = deps
  const tags = ['auctions']

  app.post(
    '/api/v1/auctions',
    {
      schema: {
        tags,
        summary: 'Open an auction',
        headers: idempotencyHeaders,
        body: openBody,
        response: { 201: partOfAuction.extend({ command_id: z.string() }), ...problems },
      },
    },
    async (request, reply) => {
      const seller = sellerOf(request, deps)
      const commandId = deps.commandIds.of('cmd', keyOf(request), seller.party)
      const terms = openRequest(request.body, options.defaultCurrency)
      const result = await api.open({ ...terms, commandId, as: seller.party, requestId: request.id })
      const { auction, command_id } = acceptedResource(result)
      const { auctionId: id } = result.outcome
      reply.code(201).header('location', `/api/v1/auctions/${id}`)
      return { ...auction, id, auction_id: id, command_id }
    },
  )

  app.get(
    '/api/v1/auctions',
    {
      schema: {
        tags,
        summary: 'List auctions',
        description:
          'Newest first, or `sort=ending`: open ones, soonest end first, then those that have ended and wait for their homes. `next` is the next page’s cursor.',
        querystring: listQuery,
        response: { 200: auctionList, ...problems },
      },
    },
    async (request) => {
      const { status, q, seller, bidder, sort, cursor, limit } = request.query
      const page = await api.list({
        as: viewer(request),
        ...(status && { statuses: status }),
        ...(q !== undefined && { text: q }),
        ...(seller !== undefined && { seller }),
        ...(bidder !== undefined && { bidder }),
        ...(sort !== undefined && { sort }),
        ...(cursor !== undefined && { cursor }),
        ...(limit !== undefined && { limit }),
      })
      const auctions = await deps.bidders.seen(page.auctions, request.caller)
      return { auctions: auctions.map(auctionResource), next: page.next }
    },
  )

  app.get(
    '/api/v1/auctions/:id',
    {
      schema: {
        tags,
        summary: 'Look at an auction',
        params: auctionParams,
        querystring: z.strictObject(whoQuery),
        response: { 200: auctionSchema, ...problems },
      },
    },
    async (request) => auctionResource(await deps.bidders.show(request.params.id, request.caller)),
  )

  app.get(
    '/auctions',
    {
      schema: {
        tags,
        summary: 'Auctions that are open or scheduled, as a plain array',
        description: `Newest first, ${PLAIN_LIST_PAGE} unless \`limit\` says otherwise. Where there are more, the \`Link\` header names the next page (\`rel="next"\`).`,
        querystring: z.strictObject({ ...whoQuery, ...pageQuery }),
        response: { 200: z.array(auctionSchema), ...problems },
      },
    },
    async (request, reply) => {
      const { limit = PLAIN_LIST_PAGE, cursor } = request.query
      const page = await api.list({
        as: viewer(request),
        statuses: ['open', 'scheduled'],
        limit,
        ...(cursor !== undefined && { cursor }),
      })
      if (page.next !== null) {
        const query = new URLSearchParams({ limit: String(limit), cursor: page.next })
        reply.header('link', `</auctions?${query}>; rel="next"`)
      }
      return (await deps.bidders.seen(page.auctions, request.caller)).map(auctionResource)
    },
  )
}

function openRequest(body: OpenBody, defaultCurrency: string): Omit<OpenRequest, 'commandId'> {
  const { description, reserve, increment, soft_close } = body
  const start = oneOf(body, 'start_price', 'starting_bid')
  if (start === undefined)
    throw new RequestError(422, 'TERMS_INVALID', 'start_price is missing', {
      field: 'start_price',
      next: 'say at what price bidding starts',
    })
  const opensAt = oneOf(body, 'opens_at', 'start_time') ?? null
  const closesAt = oneOf(body, 'closes_at', 'end_time') ?? null
  const hardStopAt = soft_close?.hard_stop_at ?? null
  return {
    title: body.title ?? DEFAULT_TITLE,
    currency: body.currency ?? defaultCurrency,
    start,
    ...(description !== undefined && { description }),
    ...(reserve !== undefined && { reserve }),
    ...(increment !== undefined && { increment }),
    ...(body.buy_now !== undefined && { buyNow: body.buy_now }),
    ...(opensAt !== null && { opensAt }),
    ...(body.start_time && { openLate: true as const }),
    ...(closesAt !== null && { closesAt }),
    ...(body.closes_in_seconds !== undefined && { closesInMs: Math.ceil(body.closes_in_seconds * 1_000) }),
    ...(soft_close && {
      softClose: { windowMs: soft_close.window_ms, extensionMs: soft_close.extension_ms },
    }),
    ...(hardStopAt !== null && { hardStopAt }),
    ...(body.bidder_names !== undefined && { bidderNames: body.bidder_names }),
    ...(body.gives_time_back !== undefined && { givesTimeBack: body.gives_time_back }),
    ...(body.pictures !== undefined && { pictures: body.pictures }),
  }
}

function oneOf<K extends keyof OpenBody>(body: OpenBody, name: K, alias: K): OpenBody[K] {
  if (body[name] !== undefined && body[alias] !== undefined) {
    throw new RequestError(400, 'INVALID_INPUT', `${name} and ${alias} say the same`, {
      field: alias,
      next: `give ${name} alone`,
    })
  }
  return body[name] ?? body[alias]
}

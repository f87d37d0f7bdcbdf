import { Readable } from 'node:stream'
import { z } from 'zod'
import { exportLines, readLog } from '../../../application/proof/read-log.js'
import { auctionParams, type GatewayApp, problems, type RouteDeps, streamOfText, whoQuery } from './route.js'

/** The verifiable log of an auction, as `vendue export` writes it. */
export function logRoutes(app: GatewayApp, deps: RouteDeps): void {
  app.get(
    '/api/v1/auctions/:id/log',
    {
      schema: {
        tags: ['auctions'],
        summary: 'The log, which anyone can verify',
        description: 'JSON lines, streamed: save them to a file and check it with `vendue verify FILE`.',
        params: auctionParams,
        querystring: z.strictObject(whoQuery),
        response: {
          200: { description: 'The export', content: { 'application/x-ndjson': { schema: streamOfText } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      // An unknown auction is a problem, not a stream that breaks off.
      const { auctionId } = await deps.api.show({ auction: request.params.id })
      reply
        .type('application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="${auctionId}.vendue"`)
      // Nothing is read for a request for the headers alone.
      if (request.method === 'HEAD') return reply.send(Readable.from([]))
      const { address, caller } = request
      const download = deps.guard?.hold('downloads', { address, accountId: caller?.party.id })
      download?.add(1)
      reply.raw.once('close', () => download?.release())
      return reply.send(Readable.from(exportLines(readLog(deps.api, auctionId))))
    },
  )
}

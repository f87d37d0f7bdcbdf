import { Readable } from 'node:stream'
import { z } from 'zod'
import { seq } from '../../../application/log/input-schemas.js'
import { exportLines, readLog } from '../../../application/proof/read-log.js'
import { auctionParams, callOf, type GatewayApp, problems, type RouteDeps, streamOfText, whoQuery } from './route.js'

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
      const call = callOf(request)
      reply
        .type('application/x-ndjson; charset=utf-8')
        .header('content-disposition', `attachment; filename="${auctionId}.vendue"`)
      // Nothing is read for a request for the headers alone.
      if (request.method === 'HEAD') return reply.send(Readable.from([]))
      const { address, caller } = request
      const download = deps.guard?.hold('downloads', { address, accountId: caller?.party.id })
      download?.add(1)
      await deps.calls.recorded('auction.export', call, { auction: auctionId }, async () => {})
      reply.raw.once('close', () => download?.release())
      return reply.send(Readable.from(exportLines(readLog(deps.api, auctionId))))
    },
  )

  app.get(
    '/api/v1/auctions/:id/tlog-proof',
    {
      schema: {
        tags: ['auctions'],
        summary: 'That a commit stands in the log, for the tools of transparency logs',
        description:
          'C2SP tlog-proof (https://c2sp.org/tlog-proof): the commit that holds event `seq`, by default the last one, is a leaf of the Merkle tree over the bodies of all commits. The checkpoint is signed by the gateway’s node; `vendue-verifier-key` is its key.',
        params: auctionParams,
        querystring: z.strictObject({ ...whoQuery, seq: z.coerce.number().pipe(seq).exactOptional() }),
        response: {
          200: { description: 'The proof', content: { 'text/plain': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { address, caller } = request
      const { id: auction } = request.params
      const { seq: asked } = request.query
      // Nothing is read for a request for the headers alone.
      if (request.method === 'HEAD') {
        await deps.api.show({ auction })
        return reply.type('text/plain; charset=utf-8').send('')
      }
      const download = deps.guard?.hold('downloads', { address, accountId: caller?.party.id })
      download?.add(1)
      try {
        const { proof, verifierKey } = await deps.api.tlogProof({ auction, ...(asked !== undefined && { seq: asked }) })
        return reply.type('text/plain; charset=utf-8').header('vendue-verifier-key', verifierKey).send(proof)
      } finally {
        download?.release()
      }
    },
  )
}

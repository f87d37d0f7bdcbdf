import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { pictureFields } from '../../../application/gateway/public-events.js'
import { hex64 } from '../../../application/log/input-schemas.js'
import { addWhole, readWhole } from '../../../application/pictures/picture-transfer.js'
import { MAX_FILE_BYTES } from '../../../application/pictures/uploads-under-way.js'
import { pictureTypeOf } from '../../../domain/pictures/clean-picture.js'
import { PICTURE_TYPES, type PictureType } from '../../../domain/pictures/picture.js'
import { RequestError } from '../problem.js'
import { callOf, type GatewayApp, problems, type RouteDeps, sellerOf, whoQuery } from './route.js'

/** Files in memory at once, whoever sends them: a slow sender holds one until its time is over. */
const MAX_UPLOADS = 32
const YEAR_SECONDS = 31_536_000
const ENDINGS: Readonly<Record<PictureType, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
}
/** Opened by itself it is a picture and nothing more, whatever a browser makes of its bytes. */
const POLICY = "default-src 'none'; sandbox"

const added = z.object({
  ...pictureFields,
  removed: z.array(z.string()).meta({ description: 'What was in the file and is no part of the image.' }),
})

/** Adding pictures, and looking at them. */
export async function pictureRoutes(app: GatewayApp, deps: RouteDeps): Promise<void> {
  addShowing(app, deps)
  // Files are taken here and nowhere else.
  await app.register(async (scope) => addAdding(scope as unknown as GatewayApp, deps))
}

function addAdding(app: GatewayApp, deps: RouteDeps): void {
  const { api, callers, guard } = deps
  let underWay = 0
  app.addContentTypeParser([...PICTURE_TYPES], { parseAs: 'buffer', bodyLimit: MAX_FILE_BYTES }, (_, body, done) =>
    done(null, body),
  )
  app.post(
    '/api/v1/pictures',
    {
      schema: {
        tags: ['auctions'],
        summary: 'Add a picture, for an auction to name',
        description:
          'The file itself, with its own content type: image/jpeg, image/png or image/webp. What is about the image and no part of it (EXIF, places, text, profiles) is removed; name the hash of the answer in `pictures` of a new auction within a day. The same file may be added again.',
        querystring: z.strictObject(whoQuery),
        response: { 201: added, ...problems },
      },
      // Before anything of the file is read.
      onRequest: async (request, reply) => {
        const query = request.query as { user_id?: string; access_token?: string }
        request.caller = await callers.identify({
          origin: { via: 'http', from: request.address },
          headers: request.headers,
          userId: query.user_id,
          accessTokens: query.access_token === undefined ? [] : [query.access_token],
        })
        const accountId = sellerOf(request, deps).party.id
        const { address } = request
        if (underWay >= MAX_UPLOADS) throw tooMany()
        guard?.picture({ address, accountId })
        const held = guard?.hold('uploads', { address, accountId })
        held?.add(1)
        underWay += 1
        reply.raw.once('close', () => {
          underWay -= 1
          held?.release()
        })
      },
    },
    async (request, reply) => {
      const file = fileOf(request)
      const add = () => addWhole(api, file, sellerOf(request, deps).party)
      const picture = await deps.calls.recorded('picture.add', callOf(request), {}, add)
      reply.code(201).header('location', `/api/v1/pictures/${picture.hash}`)
      return { ...picture, removed: [...picture.removed] }
    },
  )
}

function addShowing(app: GatewayApp, { api, guard }: RouteDeps): void {
  app.get(
    '/api/v1/pictures/:hash',
    {
      schema: {
        tags: ['auctions'],
        summary: 'A picture that an auction names',
        description: 'The very bytes that the terms name by their SHA-256: they never change.',
        params: z.object({ hash: hex64 }),
        querystring: z.strictObject(whoQuery),
        response: {
          200: { description: 'The picture', content: { 'image/*': { schema: z.string() } } },
          ...problems,
        },
      },
      config: { credentials: 'ignored' },
    },
    async (request, reply) => {
      const { hash } = request.params
      const etag = `"${hash}"`
      const held = guard?.hold('downloads', { address: request.address })
      held?.add(1)
      reply.raw.once('close', () => held?.release())
      // Whoever has it has it for good.
      if (request.headers['if-none-match']?.split(/\s*,\s*/).includes(etag))
        return reply.code(304).send(undefined as never)
      const { bytes, type } = await readWhole(api, hash)
      reply
        .type(type)
        .header('etag', etag)
        .header('cache-control', `public, max-age=${YEAR_SECONDS}, immutable`)
        .header('content-security-policy', POLICY)
        .header('x-content-type-options', 'nosniff')
        .header('cross-origin-resource-policy', 'cross-origin')
        .header('content-disposition', `inline; filename="${hash}.${ENDINGS[type]}"`)
      return reply.serializer((body: unknown) => body as never).send(bytes as never)
    },
  )
}

/** Says nothing of what it is other than what it is. */
function fileOf({ body, headers }: FastifyRequest): Buffer {
  const said = String(headers['content-type'] ?? '')
    .split(';')[0]
    ?.trim()
    .toLowerCase()
  if (!Buffer.isBuffer(body) || body.length === 0)
    throw new RequestError(400, 'INVALID_INPUT', 'the body is to be the file of a picture, and is empty', {
      field: 'body',
      next: `send the file itself, with its content type: ${PICTURE_TYPES.join(', ')}`,
    })
  const type = pictureTypeOf(body)
  if (type === said) return body
  throw new RequestError(
    422,
    'PICTURE_REFUSED',
    `the content type is ${said}, and the file is ${type === null ? 'no JPEG, PNG or WebP' : type}`,
    { field: 'picture', next: `send one of ${PICTURE_TYPES.join(', ')}, with its own content type` },
  )
}

function tooMany(): RequestError {
  return new RequestError(503, 'BUSY', `${MAX_UPLOADS} pictures are being added at once; nothing was done`, {
    next: 'try again in a moment',
    retryAfterSeconds: 2,
  })
}

/** Room `http`: a gateway over HTTP: routes, answers, event streams, the page's files. */

import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  hasZodFastifySchemaValidationErrors,
  jsonSchemaTransform,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod'
import type { AuctionCalls } from '../../application/gateway/auction-calls.js'
import { withoutCredentials } from '../../application/gateway/authenticate.js'
import type { Callers } from '../../application/gateway/callers.js'
import type { GatewayMetrics } from '../../application/gateway/gateway-metrics.js'
import type { Guard } from '../../application/gateway/guard.js'
import { MAX_FILE_BYTES } from '../../application/pictures/uploads-under-way.js'
import type { Logger } from '../../ports/system/logger.js'
import type { ClientAddresses } from './client-addresses.js'
import type { OriginPolicy } from './origin-policy.js'
import { errorsOf, INTERNAL, PROBLEM_TYPE, type ProblemAnswer, problemOf, RequestError } from './problem.js'
import { requestIdOf } from './request-id.js'
import { RequestOrder } from './request-order.js'
import { callOf, type GatewayApp } from './routes/route.js'

export interface HttpAppDeps {
  readonly addresses: ClientAddresses
  readonly callers: Callers
  readonly calls: Pick<AuctionCalls, 'refused'>
  readonly guard: Guard | null
  readonly logger: Logger
  readonly metrics: GatewayMetrics
  readonly origins: OriginPolicy
}

export interface HttpAppOptions {
  readonly version: string
  /** True while the gateway takes nothing new. */
  readonly draining: () => boolean
}

const MAX_BODY_BYTES = 128 * 1024
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 30_000
/** How often connections are checked for both. */
const CHECK_INTERVAL_MS = 2_000
const KEEP_ALIVE_MS = 65_000
const MAX_HEADER_BYTES = 16 * 1024
const MAX_PARAM_LENGTH = 128
const MAX_REQUESTS_PER_SOCKET = 100_000
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** The HTTP server without its routes: what all of them share. */
export async function createHttpApp(deps: HttpAppDeps, options: HttpAppOptions): Promise<GatewayApp> {
  const app = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    forceCloseConnections: 'idle',
    // The first hook says it in our words.
    return503OnClosing: false,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => {
      fail(error as FastifyError, request as FastifyRequest, reply as unknown as FastifyReply)
    },
    clientErrorHandler: (error, socket) => {
      const { problem } = clientProblem(error.code)
      const body = JSON.stringify(problem)
      const head = `HTTP/1.1 ${problem.status} ${problem.title}\r\nconnection: close\r\ncontent-type: ${PROBLEM_TYPE}\r\n`
      if (socket.writable) socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      else socket.destroy()
    },
  }).withTypeProvider<ZodTypeProvider>()

  const fail = (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const answer = problemOf(error) ?? frameworkProblem(error)
    if (!answer)
      deps.logger.error({ err: error, requestId: request.id, url: withoutCredentials(request.url) }, 'a request failed')
    sendProblem(reply, answer ?? { problem: INTERNAL, retryAfterSeconds: null })
  }

  app.setValidatorCompiler(validatorCompiler)
  // Answers are made by us; one that no longer fits its schema must not become an error. A test compares them.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setErrorHandler(fail)
  app.setNotFoundHandler((request, reply) => {
    const next = 'see /docs for what there is'
    const missing = new RequestError(404, 'NOT_FOUND', `there is no ${request.method} ${pathOf(request.url)}`, { next })
    sendProblem(reply, problemOf(missing) as ProblemAnswer)
  })
  // Only JSON is accepted; an empty body counts as no body.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    if (text === '') return done(null, undefined)
    try {
      done(null, JSON.parse(String(text)))
    } catch {
      const error = new RequestError(400, 'INVALID_JSON', 'the body is not JSON', {
        next: 'send valid JSON text',
      })
      done(error as unknown as FastifyError)
    }
  })
  app.decorateRequest('caller', null)
  app.decorateRequest('address', '')
  app.decorateRequest('called', false)
  app.decorateRequest('problem', 'ok')
  addHooks(app, deps, options)

  await app.register(helmet, { contentSecurityPolicy: { directives: CSP }, strictTransportSecurity: false })
  await app.register(cors, {
    origin: (origin, done) => done(null, origin !== undefined && deps.origins.isAllowed(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    exposedHeaders: ['link', 'location', 'retry-after', 'x-request-id'],
    maxAge: 600,
  })
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Vendue gateway',
        version: options.version,
        description:
          'Auctions of a peer-to-peer mesh. Amounts are decimal text beside their currency, times RFC 3339 in UTC. Errors are RFC 9457 problems with a stable `code`. Live events: /docs/asyncapi.yaml.',
      },
    },
    transform: jsonSchemaTransform,
  })
  await app.register(swaggerUi, { routePrefix: '/docs', logLevel: 'silent' })
  return app as unknown as GatewayApp
}

const CSP = {
  defaultSrc: ["'self'"],
  connectSrc: ["'self'", 'ws:', 'wss:'],
  imgSrc: ["'self'", 'data:'],
  styleSrc: ["'self'", "'unsafe-inline'"],
  objectSrc: ["'none'"],
  frameAncestors: ["'none'"],
  upgradeInsecureRequests: null,
}

function addHooks(
  app: Pick<GatewayApp, 'addHook'>,
  { addresses, callers, calls, guard, logger, metrics, origins }: HttpAppDeps,
  { draining }: HttpAppOptions,
): void {
  const order = new RequestOrder()
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    request.address = addresses.of(request.raw)
    const turn = order.enter(request.raw.socket, reply.raw)
    if (turn !== null) await turn
    if (draining()) {
      reply.header('connection', 'close')
      throw new RequestError(503, 'STOPPING', 'the gateway stops; nothing was done', {
        next: 'ask again, here or another gateway',
        retryAfterSeconds: 2,
      })
    }
    guard?.callFrom(request.address)
    const refusal = origins.refusal(request.headers)
    // CORS only prevents reading: a page elsewhere may send a request, and does not see the answer.
    if (refusal && (refusal.code !== 'ORIGIN_NOT_ALLOWED' || !SAFE_METHODS.has(request.method))) throw refusal
  })
  app.addHook('preValidation', async (request) => {
    if (request.routeOptions.config.credentials === 'ignored') return
    const query = new URLSearchParams(request.url.split('?')[1] ?? '')
    const named = (request.body as { user_id?: unknown } | null | undefined)?.user_id
    const userId = typeof named === 'string' ? named : (query.get('user_id') ?? undefined)
    const accessTokens = query.getAll('access_token')
    const origin = { via: 'http', from: request.address } as const
    request.caller = await callers.identify({ headers: request.headers, userId, accessTokens, origin })
    if (request.caller) guard?.callBy(request.caller.party.id)
  })
  app.addHook('onResponse', async (request, reply) => {
    const { method, id: requestId } = request
    const ms = reply.elapsedTime
    const route = request.routeOptions.url ?? 'unknown'
    metrics.request(method, route, reply.statusCode, ms / 1_000)
    const fields = {
      requestId,
      method,
      path: pathOf(request.url),
      status: reply.statusCode,
      ms: Math.round(ms),
    }
    logger.debug(fields, 'answered a request')
    if (!request.called && !SAFE_METHODS.has(method))
      calls.refused(`${method} ${route}`, callOf(request), request.problem)
  })
}

function sendProblem(reply: FastifyReply, { problem, retryAfterSeconds }: ProblemAnswer): void {
  reply.request.problem = problem.code
  if (retryAfterSeconds !== null) reply.header('retry-after', String(retryAfterSeconds))
  if (problem.status === 401) reply.header('www-authenticate', challenge(problem.code))
  reply
    .code(problem.status)
    .type(PROBLEM_TYPE)
    .serializer((data: unknown) => JSON.stringify(data))
    .send(problem)
}

/** What Fastify itself refuses; null for mistakes of ours. */
function frameworkProblem(error: FastifyError): ProblemAnswer | null {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const issues = error.validation.map(({ instancePath, message }) => ({
      field: instancePath.split('/').filter(Boolean).join('.'),
      rule: (message ?? 'is not valid').slice(0, 300),
    }))
    const field = issues[0]?.field || undefined
    const where = error.validationContext === 'headers' ? 'header ' : ''
    const rule = issues[0]?.rule ?? 'is not valid'
    const refused = new RequestError(
      400,
      'INVALID_INPUT',
      `${where}${field ?? error.validationContext ?? ''}: ${rule}`,
      {
        ...(field !== undefined && { field }),
        more: errorsOf(issues),
        next: 'correct it; /docs says what is allowed',
      },
    )
    return problemOf(refused)
  }
  const { statusCode: status, code } = error
  if (status === undefined || status < 400 || status >= 500) return null
  const known = FRAMEWORK[code ?? ''] ?? ['BAD_REQUEST', 'correct the request']
  return problemOf(new RequestError(status, known[0], error.message, { next: known[1] }))
}

const FRAMEWORK: Readonly<Record<string, readonly [code: string, next: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: [
    'BODY_TOO_LARGE',
    `send ${MAX_BODY_BYTES / 1024} KiB at most; a picture may have ${MAX_FILE_BYTES / 1024} KiB`,
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'send JSON, with content-type application/json'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['BAD_REQUEST', 'send as many bytes as content-length says'],
  FST_ERR_BAD_URL: ['BAD_REQUEST', 'correct the address'],
}

function clientProblem(code: string | undefined): ProblemAnswer {
  const refused =
    code === 'HPE_HEADER_OVERFLOW'
      ? new RequestError(431, 'HEADERS_TOO_LARGE', 'the headers are too large', { next: 'send fewer' })
      : code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? new RequestError(408, 'REQUEST_TIMEOUT', 'the request did not arrive in time', {
            next: 'send it again',
          })
        : new RequestError(400, 'BAD_REQUEST', 'this is no HTTP request', { next: 'speak HTTP/1.1' })
  return problemOf(refused) as ProblemAnswer
}

/** The value of WWW-Authenticate. */
function challenge(code: string): string {
  return code === 'UNAUTHENTICATED' ? 'Bearer realm="vendue"' : 'Bearer realm="vendue", error="invalid_token"'
}

function pathOf(url: string): string {
  return url.split('?')[0] as string
}

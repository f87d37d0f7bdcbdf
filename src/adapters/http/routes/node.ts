import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import { allowed } from '../../../application/gateway/callers.js'
import { type Json, peerJson, statusJson } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import { EXPORT_VERSION } from '../../../application/proof/export-format.js'
import { PROOF_VERSION } from '../../../application/proof/proof-file.js'
import { TLOG_PROOF_VERSION } from '../../../application/proof/tlog-proof.js'
import type { NodeStatus } from '../../../ports/node/node-status.js'
import { RequestError } from '../problem.js'
import { type GatewayApp, problems, type RouteDeps, whoQuery } from './route.js'

const ADMINS = 'On a gateway with accounts: for admins.'
const READY_PATIENCE_MS = 3_000
const health = z.looseObject({
  status: z.literal('ok'),
  auth: z.enum(['open', 'accounts']),
  server_time: z.string(),
  uptime_ms: z.int(),
  version: z.string(),
})

/** Long enough for a page that asks often, and short enough for an authority that is exchanged. */
const IDENTITY_MS = 60_000
const identitySchema = z.object({
  version: z.string(),
  node: z.object({ id: z.string(), name: z.string(), public_key: z.string() }),
  mesh: z.object({
    id: z.string(),
    authority: z.object({ public_key: z.string() }).nullable().meta({ description: 'The newest one.' }),
  }),
  formats: z.object({ export: z.int(), proof: z.int(), tlog_proof: z.string() }),
  api: z.object({ openapi: z.string(), asyncapi: z.string() }),
})

function identityJson({ node, mesh }: NodeStatus, version: string): z.output<typeof identitySchema> {
  return {
    version,
    node: { id: node.nodeId, name: node.name, public_key: node.publicKey },
    mesh: { id: mesh.meshId, authority: mesh.authority === null ? null : { public_key: mesh.authority } },
    formats: { export: EXPORT_VERSION, proof: PROOF_VERSION, tlog_proof: TLOG_PROOF_VERSION },
    api: { openapi: '/docs/json', asyncapi: '/docs/asyncapi.yaml' },
  }
}

/** The gateway and its node. */
export function nodeRoutes(
  app: GatewayApp,
  deps: RouteDeps,
  {
    version,
    asyncApi,
    defaultCurrency,
    gateways,
    page,
  }: {
    version: string
    asyncApi: string
    defaultCurrency: string
    gateways: readonly string[]
    page: string | null
  },
): void {
  const tags = ['gateway']
  const startedMs = deps.clock.monotonicMs()
  const querystring = z.strictObject(whoQuery)

  app.get(
    '/health',
    {
      schema: {
        tags,
        summary: 'Whether the gateway lives',
        querystring,
        response: { 200: health, ...problems },
      },
    },
    async () => ({
      status: 'ok' as const,
      auth: deps.callers.mode,
      server_time: timeText(deps.clock.now()),
      uptime_ms: Math.round(deps.clock.monotonicMs() - startedMs),
      version,
    }),
  )

  app.get(
    '/api/v1/gateway',
    {
      schema: {
        tags,
        summary: 'What a client has to know of the gateway before anything else',
        querystring,
        response: {
          200: z.object({
            auth: z.enum(['open', 'accounts']),
            version: z.string(),
            server_time: z.string(),
            default_currency: z.string(),
            gateways: z.array(z.string()).meta({ description: 'Others with the same bidders.' }),
            page: z.string().nullable().meta({ description: 'Which version of the web page is served.' }),
          }),
          ...problems,
        },
      },
      config: { credentials: 'ignored' },
    },
    async () => ({
      auth: deps.callers.mode,
      version,
      server_time: timeText(deps.clock.now()),
      default_currency: defaultCurrency,
      gateways: [...gateways],
      page,
    }),
  )

  let identity: { readonly says: z.output<typeof identitySchema>; readonly untilMs: number } | null = null
  app.get(
    '/.well-known/vendue.json',
    {
      schema: {
        tags,
        summary: 'Who the gateway is: its node’s key, its mesh and the key of that mesh’s authority',
        description:
          'What a second verifier has to know beside an export. Keys are raw Ed25519 public keys in base64url; docs/protocol.md says how ids follow from them.',
        querystring,
        response: { 200: identitySchema, ...problems },
      },
      config: { credentials: 'ignored' },
    },
    async (_, reply) => {
      const nowMs = deps.clock.monotonicMs()
      if (identity === null || nowMs >= identity.untilMs)
        identity = { says: identityJson(await deps.api.status(), version), untilMs: nowMs + IDENTITY_MS }
      return reply.header('cache-control', `public, max-age=${IDENTITY_MS / 1_000}`).send(identity.says)
    },
  )

  app.get(
    '/ready',
    {
      schema: {
        tags,
        summary: 'Whether the gateway can serve: its node answers, and it does not stop',
        querystring,
        response: { 200: z.looseObject({ status: z.literal('ready') }), ...problems },
      },
    },
    async () => {
      const { node, auctions, peers } = await within(READY_PATIENCE_MS, deps.api.status())
      return { status: 'ready' as const, node: { id: node.nodeId, name: node.name }, auctions, peers }
    },
  )

  app.get(
    '/docs/asyncapi.yaml',
    {
      schema: {
        tags,
        summary: 'The WebSocket API, as AsyncAPI 3.0',
        querystring,
        response: {
          200: { description: 'YAML', content: { 'application/yaml': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (_, reply) => reply.type('application/yaml; charset=utf-8').send(asyncApi),
  )

  app.get(
    '/metrics',
    {
      schema: {
        tags,
        summary: 'Metrics for Prometheus',
        description: ADMINS,
        querystring,
        response: {
          200: { description: 'Text', content: { 'text/plain': { schema: z.string() } } },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      adminsOnly(request)
      const { page } = deps.metrics
      return reply.type(page.contentType).send(await page.text())
    },
  )

  app.get(
    '/api/v1/peers',
    {
      schema: {
        tags,
        summary: 'The nodes of the mesh, as this node sees them',
        description: ADMINS,
        querystring,
        response: { 200: z.object({ peers: z.array(z.looseObject({ node_id: z.string() })) }), ...problems },
      },
    },
    async (request) => {
      adminsOnly(request)
      return { peers: (await deps.api.peers()).map(peerJson) }
    },
  )

  app.get(
    '/api/v1/node',
    {
      schema: {
        tags,
        summary: 'The gateway’s own node: its sync, what it holds, and how its peers changed',
        description: ADMINS,
        querystring,
        response: {
          200: z.looseObject({ node_id: z.string(), name: z.string(), peer_changes: z.array(z.unknown()) }),
          ...problems,
        },
      },
    },
    async (request) => {
      adminsOnly(request)
      // Where its files lie, and under which number it runs, is nobody's business but its machine's.
      const { data_dir: _, pid: __, ...report } = statusJson(await deps.api.status()) as Record<string, Json>
      return report as never
    },
  )

  /**
   * Addresses of nodes and how they fare are for admins, wherever they ask from: behind a proxy that says nothing of
   * whom it speaks for, everybody comes from this machine.
   */
  function adminsOnly({ caller }: FastifyRequest): void {
    if (deps.callers.mode === 'accounts') allowed(caller, 'admin', deps.callers.mode)
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(notReady(ms)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function notReady(ms: number): RequestError {
  return new RequestError(503, 'NODE_UNREACHABLE', `the node did not answer within ${ms} ms`, {
    next: 'ask again',
    retryAfterSeconds: 2,
  })
}

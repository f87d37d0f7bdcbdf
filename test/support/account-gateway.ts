import type { FastifyRequest } from 'fastify'
import { type AccountsSettings, openAccounts } from '../../services/gateway/accounts.js'
import { ClientAddresses } from '../../src/adapters/http/client-addresses.js'
import { createHttpApp } from '../../src/adapters/http/http-app.js'
import { OriginPolicy } from '../../src/adapters/http/origin-policy.js'
import { callerWith } from '../../src/adapters/http/routes/route.js'
import { PrometheusMetrics } from '../../src/adapters/prometheus/prometheus-metrics.js'
import { createPinoLogger } from '../../src/adapters/system/pino-logger.js'
import { AuthenticatedCallers } from '../../src/application/gateway/callers.js'
import { GatewayMetrics } from '../../src/application/gateway/gateway-metrics.js'
import type { Scope } from '../../src/ports/accounts/caller.js'
import { makeTempDir } from './temp-dir.js'

export interface Answer {
  readonly status: number
  readonly headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any
  readonly text: string
}

/** A real server with accounts on disk, and a log that is kept. */
export async function startAccountGateway(settings: AccountsSettings = {}) {
  const dir = makeTempDir()
  let log = ''
  const time = { offset: 0 }
  const clock = { now: () => Date.now() + time.offset, monotonicMs: () => performance.now() }
  const logger = createPinoLogger({ level: 'trace', format: 'json', write: (lines) => (log += lines) })
  const opened = await openAccounts(dir.path, settings, { logger, clock })
  const callers = new AuthenticatedCallers(opened)
  const connections = () => ({ websockets: 0, eventStreams: 0, socketIo: 0, openBreakers: 0 })
  const metrics = new GatewayMetrics(new PrometheusMetrics(), {
    connections,
    waiting: () => 0,
    status: () => Promise.reject(new Error('no node')),
    guard: () => opened.limits,
  })
  const origins = new OriginPolicy({ allowed: [], loopbackOnly: true })
  const app = await createHttpApp(
    {
      addresses: new ClientAddresses(['127.0.0.1']),
      callers,
      guard: opened.limits,
      logger,
      calls: { refused: () => undefined },
      metrics,
      origins,
    },
    { version: 'test', draining: () => false },
  )
  await app.register(opened.routes)
  const caller = (scope: Scope) => async (request: FastifyRequest) => callerWith(request, scope, { callers })
  app.get('/me', caller('read'))
  app.post('/bid', caller('bid'))
  app.post('/open', caller('sell'))
  app.get('/admin', caller('admin'))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })

  async function call(
    method: string,
    path: string,
    { body, raw, headers = {} }: { body?: unknown; raw?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(url + path, {
      method,
      headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(payload !== undefined && { body: payload }),
    })
    const text = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text,
      body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null,
    }
  }

  return {
    ...opened,
    url,
    dataDir: dir.path,
    time,
    log: () => log,
    call,
    post: (path: string, body: unknown, headers?: Record<string, string>) =>
      call('POST', path, { body, ...(headers && { headers }) }),
    async stop() {
      await app.close()
      await opened.close()
      dir.remove()
    },
  }
}

export type AccountGateway = Awaited<ReturnType<typeof startAccountGateway>>

export function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

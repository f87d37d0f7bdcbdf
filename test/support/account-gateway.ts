import Fastify from 'fastify'
import { type AccountsSettings, openAccounts } from '../../services/gateway/accounts.js'
import { sendProblem } from '../../src/adapters/http/account-problem.js'
import {
  installAuthentication,
  requireScope,
  withoutCredentials,
} from '../../src/adapters/http/authenticate.js'
import { createPinoLogger } from '../../src/adapters/system/pino-logger.js'
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
  const app = Fastify({
    trustProxy: true,
    logger: {
      level: 'trace',
      stream: { write: (line: string) => (log += line) },
      serializers: { req: ({ method, url }) => ({ method, url: withoutCredentials(url) }) },
    },
  })
  app.setErrorHandler(sendProblem)
  installAuthentication(app, opened)
  await app.register(opened.routes)
  app.get('/me', { preHandler: requireScope('read') }, async ({ caller }) => caller)
  app.post('/bid', { preHandler: requireScope('bid') }, async () => ({ bid: true }))
  app.post('/open', { preHandler: requireScope('sell') }, async () => ({ opened: true }))
  app.get('/admin', { preHandler: requireScope('admin') }, async () => ({ admin: true }))
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

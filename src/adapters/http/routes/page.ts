import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Encoding, PageFile, PageFiles } from '../page-files.js'
import type { GatewayApp } from './route.js'

/** Addresses of the page's views: all of them are the same document, which shows what the address names. */
const VIEWS = ['/', '/lot/:id', '/sell', '/mine', '/account', '/mesh']
const YEAR_SECONDS = 31_536_000

export interface PageOptions {
  /** Other gateways that the page may go on through when this one is away. */
  readonly gateways: readonly string[]
}

/** The web page. What it may load and reach is this gateway alone, and those named beside it; nothing inline runs. */
export function pageRoutes(app: GatewayApp, files: PageFiles, { gateways }: PageOptions): void {
  const policy = policyOf(gateways)
  const config = { credentials: 'ignored' } as const
  const schema = { hide: true }
  const document = files.get('/index.html') as PageFile
  const sender = (file: PageFile) => async (request: FastifyRequest, reply: FastifyReply) => {
    reply.header('content-security-policy', policy)
    return send(file, request, reply)
  }
  for (const path of VIEWS) app.get(path, { config, schema }, sender(document))
  for (const [path, file] of files) {
    if (file !== document) app.get(path, { config, schema }, sender(file))
  }
}

function send(file: PageFile, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply
    .type(file.type)
    .header('etag', file.etag)
    .header('vary', 'accept-encoding')
    // The document names the rest by hash: it is asked for anew each time, and mostly answered by 304.
    .header('cache-control', file.hashed ? `public, max-age=${YEAR_SECONDS}, immutable` : 'no-cache')
  if (headers['if-none-match']?.split(/\s*,\s*/).includes(file.etag)) return reply.code(304).send()
  const encoding = best(file, String(headers['accept-encoding'] ?? ''))
  if (encoding !== 'identity') reply.header('content-encoding', encoding)
  return reply.send(file.bodies.get(encoding))
}

function best(file: PageFile, accepted: string): Encoding {
  const taken = new Set(
    accepted
      .split(',')
      .map((part) => part.trim().split(/\s*;\s*q=/))
      .filter(([, weight = '1']) => Number(weight) > 0)
      .map(([name = '']) => name.toLowerCase()),
  )
  return [...file.bodies.keys()].find((encoding) => taken.has(encoding)) ?? 'identity'
}

function policyOf(gateways: readonly string[]): string {
  const reached = gateways.flatMap((url) => [url, url.replace(/^http/, 'ws')])
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    `img-src ${["'self'", 'data:', 'blob:', ...gateways].join(' ')}`,
    "worker-src 'self'",
    "manifest-src 'self'",
    `connect-src ${["'self'", ...reached].join(' ')}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ')
}

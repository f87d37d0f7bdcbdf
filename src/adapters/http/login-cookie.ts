import type { FastifyReply, FastifyRequest } from 'fastify'

/** The value of a refresh token, in a body or an answer, that says: it is in the cookie. */
const IN_COOKIE = 'cookie'
const NAME = 'vendue_login'
/** Browsers send it only to the routes that log in and out. */
const PATH = '/api/v1/auth'

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** The refresh token from the cookie of a page of this gateway; null if the body holds the token itself. */
export function cookieToken({ headers }: FastifyRequest, given: string | undefined): string | null {
  if (given !== IN_COOKIE) return null
  const pairs = (headers.cookie ?? '').split(/;\s*/).map((pair) => pair.split('='))
  return pairs.find(([name]) => name === NAME)?.[1] ?? null
}

/**
 * Puts the refresh token where no script can read it, whatever a page is made to run. `SameSite=Strict`: no page of
 * another site can have it sent.
 */
export function keepInCookie<T extends { refresh_token: string; refresh_expires_in: number }>(
  tokens: T,
  { request, reply }: Exchange,
): T {
  setCookie({ request, reply }, tokens.refresh_token, tokens.refresh_expires_in)
  return { ...tokens, refresh_token: IN_COOKIE }
}

export function forgetCookie(exchange: Exchange): void {
  setCookie(exchange, '', 0)
}

function setCookie({ request, reply }: Exchange, value: string, seconds: number): void {
  const secure = request.protocol === 'https' ? '; Secure' : ''
  reply.header('set-cookie', `${NAME}=${value}; Path=${PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`)
}

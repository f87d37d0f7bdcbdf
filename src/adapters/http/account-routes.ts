import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { serializerCompiler, validatorCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { AccountError } from '../../application/accounts/account-error.js'
import type { Tokens } from '../../application/accounts/logins.js'
import { type AccountCalls, missing } from '../../application/gateway/account-calls.js'
import { credentialsOf } from '../../application/gateway/authenticate.js'
import type { Clock } from '../../ports/system/clock.js'
import {
  apiKeyBody,
  apiKeyJson,
  apiKeyParams,
  apiKeysAnswer,
  loginBody,
  logoutBody,
  newApiKeyAnswer,
  passwordBody,
  refreshBody,
  registerBody,
  tokensAnswer,
  tokensJson,
} from './account-schemas.js'
import { cookieToken, forgetCookie, keepInCookie } from './login-cookie.js'
import { callOf, problems } from './routes/route.js'

export interface AccountRoutesDeps {
  readonly calls: AccountCalls
  readonly clock: Clock
}

const MAX_BODY_BYTES = 16 * 1024

/**
 * A plugin for an instance that knows its callers (http-app.ts): registration and logins under /auth and
 * /api/v1/auth, API keys under /api/v1/me/api-keys. Secrets stand in answers and bodies, never in addresses or logs.
 */
export function accountRoutes(deps: AccountRoutesDeps): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.setValidatorCompiler(validatorCompiler)
    app.setSerializerCompiler(serializerCompiler)
    app.addHook('onSend', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })
    for (const prefix of ['/auth', '/api/v1/auth']) addAuthRoutes(app, deps, prefix)
    addOwnRoutes(app, deps)
  }
}

interface Answering {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly inCookie: boolean
}

type Deps = AccountRoutesDeps
const nothing = { 204: z.undefined().describe('Done'), ...problems }
/** Old tokens in the headers must not keep a client from getting new ones. */
const open = { config: { credentials: 'ignored' }, bodyLimit: MAX_BODY_BYTES } as const
const tags = ['accounts']

function addAuthRoutes(app: FastifyInstance, deps: Deps, prefix: string): void {
  const { calls, clock } = deps
  const routes = app.withTypeProvider<ZodTypeProvider>()
  const answer = (tokens: Tokens, { request, reply, inCookie }: Answering) => {
    const json = tokensJson(tokens, clock.now())
    return inCookie ? keepInCookie(json, { request, reply }) : json
  }

  routes.post(
    `${prefix}/register`,
    {
      ...open,
      schema: {
        tags,
        summary: 'Make an account, and log in',
        body: registerBody,
        response: { 201: tokensAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { username, name, email, password } = request.body
      const tokens = await calls
        .register(callOf(request), { name: oneOf({ username, name }), email, password })
        .catch((error) => Promise.reject(inWordsOf(request, error)))
      const inCookie = request.body.refresh_token_in === 'cookie'
      return reply.code(201).send(answer(tokens, { request, reply, inCookie }))
    },
  )

  routes.post(
    `${prefix}/login`,
    {
      ...open,
      schema: {
        tags,
        summary: 'Log in with a name or an e-mail address',
        body: loginBody,
        response: { 200: tokensAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { username, name, email, password } = request.body
      // Clients call the field by any of these names; the password decides.
      const login = username || name || email
      if (login === undefined) throw missing('username')
      const tokens = await calls.logIn(callOf(request), { login, password })
      return answer(tokens, { request, reply, inCookie: request.body.refresh_token_in === 'cookie' })
    },
  )

  routes.post(
    `${prefix}/refresh`,
    {
      ...open,
      schema: {
        tags,
        summary: 'A new access token, and the next refresh token',
        body: refreshBody,
        response: { 200: tokensAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const kept = cookieToken(request, request.body.refresh_token)
      const token = kept ?? request.body.refresh_token
      return answer(await calls.refresh(callOf(request), token), { request, reply, inCookie: kept !== null })
    },
  )

  routes.post(
    `${prefix}/logout`,
    {
      ...open,
      schema: { tags, summary: 'End a login, with its tokens', body: logoutBody, response: nothing },
    },
    async (request, reply) => {
      const given = request.body?.refresh_token
      const token = cookieToken(request, given) ?? given
      if (token !== given) forgetCookie({ request, reply })
      await calls.logOut(callOf(request), token, token === undefined ? credentialsOf(request.headers) : null)
      return reply.code(204).send(undefined)
    },
  )

  routes.post(
    `${prefix}/password`,
    {
      bodyLimit: MAX_BODY_BYTES,
      schema: {
        tags,
        summary: 'Change the password; ends all other logins',
        body: passwordBody,
        response: { 200: tokensAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const tokens = await calls.changePassword(callOf(request), request.body)
      return answer(tokens, { request, reply, inCookie: request.body.refresh_token_in === 'cookie' })
    },
  )
}

function addOwnRoutes(app: FastifyInstance, { calls }: Deps): void {
  const routes = app.withTypeProvider<ZodTypeProvider>()
  const path = '/api/v1/me/api-keys'
  const bodyLimit = MAX_BODY_BYTES

  routes.post(
    path,
    {
      bodyLimit,
      schema: {
        tags,
        summary: 'Make an API key for a program',
        body: apiKeyBody,
        response: { 201: newApiKeyAnswer, ...problems },
      },
    },
    async (request, reply) => {
      const { apiKey, secret } = await calls.createKey(callOf(request), request.body)
      return reply.code(201).send({ ...apiKeyJson(apiKey), api_key: secret })
    },
  )

  routes.get(
    path,
    { schema: { tags, summary: 'The own API keys', response: { 200: apiKeysAnswer, ...problems } } },
    async (request) => ({ api_keys: (await calls.keys(request.caller)).map(apiKeyJson) }),
  )

  routes.delete(
    `${path}/:id`,
    { schema: { tags, summary: 'Revoke an API key', params: apiKeyParams, response: nothing } },
    async (request, reply) => {
      await calls.revokeKey(callOf(request), request.params.id)
      return reply.code(204).send(undefined)
    },
  )
}

/** Clients call the same thing by several names; two that differ are a mistake. */
function oneOf(fields: Readonly<Record<string, string | undefined>>): string | undefined {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')
  const [first, second] = given
  if (first && second && first[1] !== second[1]) {
    throw new AccountError('INVALID_INPUT', `${first[0]} and ${second[0]} differ; send one of them`, {
      problems: [{ field: second[0], rule: `must be left out, or be the same as ${first[0]}` }],
    })
  }
  return first?.[1]
}

/** Names the field as the client wrote it. */
function inWordsOf({ body }: FastifyRequest, error: unknown): unknown {
  const wroteName = (body as { name?: unknown } | null)?.name !== undefined
  if (!(error instanceof AccountError) || error.field !== 'name' || wroteName) return error
  const problems = error.problems.map(({ field, rule }) => ({
    field: field === 'name' ? 'username' : field,
    rule,
  }))
  const message = error.message.replace(/\bname\b/, 'username')
  return new AccountError(error.code, message, {
    problems,
    ...(error.next !== undefined && { next: error.next }),
  })
}

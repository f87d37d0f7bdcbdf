import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { ServiceImpl } from '@connectrpc/connect'
import type { AccountService } from '../../../gen/vendue/v1/accounts_pb.js'
import type { Tokens } from '../../application/accounts/logins.js'
import type { AccountCalls } from '../../application/gateway/account-calls.js'
import { credentialsOf } from '../../application/gateway/authenticate.js'
import type { ApiKey } from '../../ports/accounts/api-key-repository.js'
import type { Clock } from '../../ports/system/clock.js'
import { callIn } from './rpc-call.js'
import { orNone, secondsOf } from './rpc-messages.js'

const DAY_SECONDS = 86_400

/** The service that proto/vendue/v1/accounts.proto describes. */
export function accountService(
  calls: AccountCalls,
  { clock }: { readonly clock: Clock },
): ServiceImpl<typeof AccountService> {
  const answer = async (tokens: Promise<Tokens>) => ({ tokens: tokensMessage(await tokens, clock.now()) })
  return {
    register({ username, email, password }, context) {
      const account = { name: orNone(username), email: orNone(email), password }
      return answer(calls.register(callIn(context), account))
    },

    logIn({ login, password }, context) {
      return answer(calls.logIn(callIn(context), { login, password }))
    },

    refreshTokens({ refreshToken }, context) {
      return answer(calls.refresh(callIn(context), refreshToken))
    },

    async logOut({ refreshToken }, context) {
      const token = orNone(refreshToken)
      await calls.logOut(
        callIn(context),
        token,
        token === undefined ? credentialsOf(callIn(context).presented.headers) : null,
      )
      return {}
    },

    changePassword({ currentPassword, newPassword }, context) {
      const passwords = { current_password: currentPassword, new_password: newPassword }
      return answer(calls.changePassword(callIn(context), passwords))
    },

    async createApiKey({ label, scopes, expiresIn }, context) {
      const days = expiresIn && { expires_in_days: secondsOf(expiresIn) / DAY_SECONDS }
      const { apiKey, secret } = await calls.createKey(callIn(context), { label, scopes, ...days })
      return { apiKey: apiKeyMessage(apiKey), secret }
    },

    async listApiKeys(_, context) {
      return { apiKeys: (await calls.keys(callIn(context).caller)).map(apiKeyMessage) }
    },

    async revokeApiKey({ id }, context) {
      await calls.revokeKey(callIn(context), id)
      return {}
    },
  }
}

function tokensMessage(tokens: Tokens, now: number) {
  const { account, accessToken, accessExpiresAt, refreshToken, refreshExpiresAt } = tokens
  const { id: accountId, name: username, roles } = account
  return {
    accessToken,
    expiresIn: durationFromMs(Math.max(0, accessExpiresAt - now)),
    refreshToken,
    refreshExpiresIn: durationFromMs(Math.max(0, refreshExpiresAt - now)),
    accountId,
    username,
    roles: [...roles],
  }
}

function apiKeyMessage({ id, label, scopes, createdAt, expiresAt, revokedAt }: ApiKey) {
  return {
    id,
    label,
    scopes: [...scopes],
    createdAt: timestampFromMs(createdAt),
    ...(expiresAt !== null && { expiresAt: timestampFromMs(expiresAt) }),
    ...(revokedAt !== null && { revokedAt: timestampFromMs(revokedAt) }),
  }
}

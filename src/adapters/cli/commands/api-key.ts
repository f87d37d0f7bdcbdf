import { type Json, jsonTime } from '../../../application/gateway/json-shapes.js'
import { timeText } from '../../../application/log/time-text.js'
import type { ApiKey } from '../../../ports/accounts/api-key-repository.js'
import { SCOPES } from '../../../ports/accounts/caller.js'
import { gatewayOptions, startOptions } from '../parse/node-options.js'
import { UsageError } from '../parse/usage-error.js'
import { table } from '../render/table.js'
import { oneLine } from '../render/terminal-text.js'
import type { HostCommand } from '../session/host.js'
import { accountAct, withAccounts } from './user.js'

const MAX_DAYS = 3_650

export const apiKeyCommand: HostCommand = {
  usage: 'api-key <action> <who>',
  audited: (args) => accountAct(args, 'key', 'who', ['list']),
  summary: "Make, list and revoke the API keys of a gateway's accounts.",
  positionals: {
    action: 'create, list, revoke',
    who: 'For create and list: the account, by name, e-mail address or id; for revoke: the id of the key',
  },
  options: {
    name: startOptions.name as NonNullable<typeof startOptions.name>,
    data: startOptions.data as NonNullable<typeof startOptions.data>,
    'accounts-dir': gatewayOptions['accounts-dir'] as NonNullable<(typeof gatewayOptions)[string]>,
    scopes: { kind: 'text', describe: `With create: of ${SCOPES.join(', ')}; read,bid otherwise` },
    label: { kind: 'text', describe: 'With create: what it is for; "command line" otherwise' },
    days: { kind: 'text', describe: 'With create: good for so many days; until revoked otherwise' },
  },
  examples: [
    ['api-key create alice --label robot --scopes read,bid', 'shows the key, this once'],
    ['api-key list alice', 'what keys there are, and when they were last used'],
    ['api-key revoke key_7k2m9x4c0h3t5v8w', 'at once'],
  ],
  notes:
    'Works on gateway.db in the data directory, whether the gateway runs or not. Keys are kept as hashes: one that is lost cannot be shown again, only replaced.',
  run: (host, args) =>
    withAccounts(host, args, {
      async create({ out }, _args, { accounts, apiKeys }) {
        const account = await accounts.get(args.need('who'))
        const days = args.int('days', 1, MAX_DAYS)
        const scopes = (args.text('scopes') ?? 'read,bid').split(',').map((scope) => scope.trim())
        const { apiKey, secret } = await apiKeys.create(account.id, {
          label: args.text('label') ?? 'command line',
          scopes,
          ...(days !== undefined && { expires_in_days: days }),
        })
        out.document({ ...keyJson(apiKey), api_key: secret })
        out.lines(secret)
        out.note(`${apiKey.id} of ${account.name}: ${apiKey.scopes.join(', ')}. It is not shown again.`)
      },
      async list({ out }, _args, { accounts, apiKeys }) {
        const keys = await apiKeys.list((await accounts.get(args.need('who'))).id)
        out.document({ api_keys: keys.map(keyJson) })
        out.lines(
          ...(keys.length === 0
            ? ['There are no API keys of this account.']
            : table(keys, [
                { title: 'KEY', cell: ({ id }) => id },
                { title: 'LABEL', cell: ({ label }) => oneLine(label) },
                { title: 'SCOPES', cell: ({ scopes }) => scopes.join(', ') },
                { title: 'CREATED', cell: ({ createdAt }) => day(createdAt) },
                { title: 'EXPIRES', cell: ({ expiresAt }) => day(expiresAt) },
                { title: 'LAST USED', cell: ({ lastUsedAt }) => day(lastUsedAt) },
                { title: 'REVOKED', cell: ({ revokedAt }) => day(revokedAt) },
              ])),
        )
      },
      async revoke({ out }, _args, { apiKeys }) {
        const keyId = args.need('who')
        if (!keyId.startsWith('key_')) {
          throw new UsageError('WHO must be the id of a key, such as key_7k2m9x4c0h3t5v8w', {
            field: 'who',
            next: '`vendue api-key list USER` shows the ids',
          })
        }
        await apiKeys.revoke(keyId, null)
        out.document({ id: keyId, revoked: true })
        out.lines(`${keyId} is revoked.`)
      },
    }),
}

function day(ms: number | null): string {
  return ms === null ? '' : timeText(ms).slice(0, 10)
}

function keyJson(key: ApiKey): Record<string, Json> {
  const time = (ms: number | null) => (ms === null ? null : jsonTime(ms))
  return {
    id: key.id,
    account_id: key.accountId,
    label: key.label,
    scopes: [...key.scopes],
    created_at: jsonTime(key.createdAt),
    expires_at: time(key.expiresAt),
    last_used_at: time(key.lastUsedAt),
    revoked_at: time(key.revokedAt),
  }
}

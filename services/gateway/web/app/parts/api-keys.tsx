import { useEffect, useState } from 'preact/hooks'
import type { ApiKey } from 'vendue/client'
import { t, writing } from '../state/language.js'
import { client } from '../state/session.js'
import { TextField } from './fields.js'
import { Note } from './icons.js'

const SCOPES = ['read', 'bid', 'sell'] as const
type Scope = (typeof SCOPES)[number]

export function ApiKeys() {
  const [keys, setKeys] = useState<readonly ApiKey[]>([])
  const [label, setLabel] = useState('')
  const [scopes, setScopes] = useState<ReadonlySet<Scope>>(new Set(['read', 'bid']))
  const [made, setMade] = useState<string | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const accounts = client.value?.accounts
  const load = async () => setKeys((await accounts?.apiKeys()) ?? [])
  const attempt = (work: () => Promise<unknown>) => {
    setWrong(null)
    void work()
      .then(load)
      .catch((error: Error) => setWrong(error.message))
  }
  useEffect(() => attempt(async () => {}), [accounts])
  const create = (event: Event) => {
    event.preventDefault()
    attempt(async () => {
      const key = await accounts?.createApiKey({ label: label.trim(), scopes: [...scopes] })
      setMade(key?.api_key ?? null)
      setLabel('')
    })
  }
  return (
    <section class="card stack">
      <h2>{t('account.keys.title')}</h2>
      <p class="soft">{t('account.keys.help')}</p>
      {keys.length === 0 && <p>{t('account.keys.empty')}</p>}
      <ul class="stack-tight">
        {keys.map((key) => (
          <li key={key.id} class="row between">
            <span>
              <strong dir="auto">{key.label}</strong>
              <br />
              <span class="soft small">
                {key.scopes.map((scope) => t(`account.scope.${scope as Scope}`)).join(', ')} ·{' '}
                {t('account.keys.made', { time: writing.value.short(Date.parse(key.created_at)) })}
              </span>
            </span>
            {key.revoked_at === null ? (
              <button
                type="button"
                class="button danger"
                onClick={() => attempt(async () => accounts?.revokeApiKey(key.id))}
              >
                {t('account.keys.revoke')}
              </button>
            ) : (
              <span class="soft">{t('account.keys.revoked')}</span>
            )}
          </li>
        ))}
      </ul>
      {made && (
        <Note tone="good" icon="check" role="status">
          <p>{t('account.keys.once')}</p>
          <code class="key">{made}</code>
        </Note>
      )}
      {wrong && (
        <Note tone="bad" icon="warn" role="alert">
          {wrong}
        </Note>
      )}
      <form class="stack" onSubmit={create}>
        <TextField
          label={t('account.keys.label')}
          value={label}
          onValue={setLabel}
          input={{ required: true, maxLength: 64, dir: 'auto' }}
        />
        <div class="row">
          {SCOPES.map((scope) => (
            <label key={scope} class="check">
              <input
                type="checkbox"
                checked={scopes.has(scope)}
                onChange={() => {
                  const next = new Set(scopes)
                  if (!next.delete(scope)) next.add(scope)
                  setScopes(next)
                }}
              />
              {t(`account.scope.${scope}`)}
            </label>
          ))}
        </div>
        <button type="submit" class="button" disabled={label.trim() === '' || scopes.size === 0}>
          {t('account.keys.create')}
        </button>
      </form>
    </section>
  )
}
